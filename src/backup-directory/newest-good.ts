import { basename, dirname } from 'node:path';
import { shellWord } from '../base/format.ts';
import type { Backup, BackupFile } from './backup.ts';
import { listBackups } from './catalog.ts';
import { placesOf } from './copied.ts';
import { foundBad, readHistory } from './history.ts';
import type { HistoryEvent } from './history-event.ts';

/**
 * The newest backup of a database that looks good, and that was not found otherwise when it was last read.
 * @param backups oldest first.
 * @param not the path of one that is not wanted.
 */
export function newestGood(
  backups: readonly Backup[],
  history: readonly HistoryEvent[],
  database: string | undefined,
  not?: string,
): Backup | undefined {
  const bad = foundBad(history);
  return backups.findLast(
    ({ name, path, condition, manifest }) =>
      condition === 'verified' &&
      manifest?.database.name === database &&
      !bad.has(name) &&
      path !== not,
  );
}

/**
 * What to do where a backup is not good: its copy, if there is one, and a whole command that takes the newest one of
 * its database that looks good.
 * @param directory where the bad one was looked for.
 * @param database that is asked for where the bad one does not say what it is of.
 */
export async function useAnother(
  directory: string,
  { path, manifest }: Pick<BackupFile, 'path' | 'manifest'>,
  verb: 'restore' | 'verify',
  database: string,
): Promise<string> {
  const wanted = manifest?.database.name ?? database;
  const backups = await listBackups(directory).catch(() => []);
  const history = await readHistory(directory).catch(() => []);
  // A file elsewhere can be that copy itself.
  const [place] = dirname(path) === directory ? placesOf(basename(path), history) : [];
  const copy =
    place === undefined
      ? ''
      : `its copy at ${place} may be good: mv ${shellWord(path)} ${shellWord(`${path}.bad`)}, then \`pratiko-backup ${verb} --from-offsite ${basename(path)}\`; `;
  const newest = newestGood(backups, history, wanted, path);
  return newest === undefined
    ? `${copy}no other backup of "${wanted}" is known to be good here: \`pratiko-backup verify --all\` reads them all`
    : `${copy}the newest other one that looks good: \`pratiko-backup ${verb} ${newest.stamp}\``;
}
