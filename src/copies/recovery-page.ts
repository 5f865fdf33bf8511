import { messageOf } from '../base/errors.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { hasGlobals } from '../backup-directory/globals-file.ts';
import { recoveryPageName } from '../backup-directory/names.ts';
import { isOurs, othersAmong, recoveryPage } from '../backup-directory/recovery-page.ts';
import { collect } from '../base/chunks.ts';
import type { Context } from '../context.ts';
import { inMemory } from './backup-files.ts';
import type { Destination } from './destination.ts';
import { store } from './store.ts';

export interface Lying {
  /** The names of what was there before. */
  readonly there: ReadonlySet<string>;
  /** The names of backups that were copied there since. */
  readonly arrived: readonly string[];
}

/**
 * Stores with the copies how to get the data back without this program, where something was copied or the page is
 * missing; one of somebody else stays as it is. The copies are good without it: where it cannot be stored, that is
 * told, and is no error.
 */
export async function storeRecoveryPage(
  context: Context,
  destination: Destination,
  { there, arrived }: Lying,
): Promise<void> {
  const { log, signal, config } = context;
  const hasPage = there.has(recoveryPageName);
  if (hasPage && arrived.length === 0) return;
  try {
    const present = hasPage ? await collect(destination.open(recoveryPageName)) : undefined;
    if (present !== undefined && !isOurs(present.toString())) return;
    const lying = (await listBackups(config.backupDir)).filter(
      ({ name }) => there.has(name) || arrived.includes(name),
    );
    const backup = lying.at(-1);
    if (backup?.manifest === undefined) return;
    const { manifest } = backup;
    const others = othersAmong(lying, manifest);
    const described = { ...backup, manifest, hasGlobals: await hasGlobals(backup), others };
    const page = Buffer.from(recoveryPage(described, true));
    if (present?.equals(page)) return;
    await store(context, destination, inMemory(recoveryPageName, page), { isRepeatable: true });
  } catch (error) {
    signal.throwIfAborted();
    log.info(`${recoveryPageName} at ${destination.url} is not updated: ${messageOf(error)}`);
  }
}
