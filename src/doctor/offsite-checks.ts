import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { collect, only } from '../base/chunks.ts';
import { exists } from '../base/exists.ts';
import { Denied, NotTheSame } from '../copies/destination.ts';
import { openDestination } from '../copies/open-destination.ts';
import { notElsewhere } from '../copies/files-elsewhere.ts';
import { store } from '../copies/store.ts';
import type { Context } from '../context.ts';
import { failedBy, ok, type Check } from './check.ts';

/** Whether each place for copies takes something, has it as it was, and gives it up again. */
export async function offsiteChecks(context: Context): Promise<Check[]> {
  const { urls } = context.config.offsite;
  if (urls.length === 0) return [ok('copies', 'OFFSITE_URL is not set: there are no copies')];
  const checks: Check[] = [];
  for (const url of urls) checks.push(await probe(context, url));
  return checks;
}

async function probe(context: Context, url: string): Promise<Check> {
  const bytes = randomBytes(64);
  const name = `pratiko_backup_probe_${bytes.toString('hex', 0, 8)}`;
  try {
    const destination = openDestination(url, context);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await store(
      context,
      destination,
      { name, bytes: bytes.length, sha256, read: () => only(bytes) },
      { isRepeatable: false },
    );
    if (await exists(join(context.config.backupDir, name))) {
      await destination.remove(name);
      return failedBy('copies', notElsewhere(url));
    }
    const found = await collect(destination.open(name));
    if (!found.equals(bytes)) throw new NotTheSame(url, name);
    try {
      await destination.remove(name);
    } catch (error) {
      if (!(error instanceof Denied) || context.config.offsite.prune) throw error;
      return ok('copies', `${url} takes files and gives them back; ${name} stays there`);
    }
    return ok('copies', `${url} takes files, gives them back, and removes them`);
  } catch (error) {
    return failedBy('copies', error);
  }
}
