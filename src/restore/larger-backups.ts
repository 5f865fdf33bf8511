import { messageOf } from '../base/errors.ts';
import { readMeasures } from '../backup-directory/accepted-loss.ts';
import { byAge, type Backup, type BackupFile } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { largerAmong } from '../backup-directory/larger-earlier-backup.ts';
import type { LargerEarlierBackup } from '../backup-directory/loss.ts';
import { readCopies } from '../copies/known-copies.ts';
import { openDestination } from '../copies/open-destination.ts';
import { backupsAt } from '../copies/stored-backup.ts';
import type { Context } from '../context.ts';

/** An older backup that holds much more; where it is only a copy, the place where it lies, as in OFFSITE_URL. */
export type LargerBackup = LargerEarlierBackup<
  Pick<Backup, 'name' | 'stamp'> & { readonly url?: string }
>;

/**
 * Older backups that hold much more: that they cannot be looked at keeps nobody from restoring.
 * @param fetchedFrom the place from which the file has come: those that lie there count, too.
 */
export async function largerThan(
  { manifest }: BackupFile,
  fetchedFrom: string | undefined,
  context: Context,
): Promise<LargerBackup[]> {
  const { config, log, signal } = context;
  if (manifest === undefined) return [];
  try {
    const here = await listBackups(config.backupDir);
    const there = fetchedFrom === undefined ? [] : await copiesAt(context, fetchedFrom, here);
    return largerAmong(
      manifest,
      [...here, ...there].sort(byAge),
      await readMeasures(config.backupDir),
      config.retention.suspiciousDrop,
    );
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`whether an older backup holds more is not known: ${messageOf(error)}`);
    return [];
  }
}

/** What lies at a place and is not here. */
async function copiesAt(context: Context, url: string, here: readonly Backup[]) {
  const names = new Set(here.map(({ name }) => name));
  const lying = await backupsAt(context, openDestination(url, context));
  return readCopies(context, lying, ({ name }) => names.has(name));
}
