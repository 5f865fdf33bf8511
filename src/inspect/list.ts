import { isByOldScript } from '../archive/identify.ts';
import { stateOf } from '../backup-directory/backup.ts';
import { isKept, readKeptMarks } from '../backup-directory/kept.ts';
import { lyingAt } from '../backup-directory/copied.ts';
import { listAlmostBackups, listChosen } from '../backup-directory/catalog.ts';
import { readHistory } from '../backup-directory/history.ts';
import { readLatest } from '../backup-directory/latest.ts';
import { readAccess, type Context } from '../context.ts';
import { orWarn } from './or-warn.ts';
import { suspicionsOf } from './suspicions.ts';
import { checksByBackup } from './checks.ts';
import { describeListed, type ListedBackup } from './listed-backup.ts';

/** Every backup in the backup directory, newest first. */
export async function listFiles(context: Context): Promise<ListedBackup[]> {
  const { config, log, now } = context;
  const backups = await listChosen(config.backupDir, config.backupDirIsDefault);
  const latest =
    (await readLatest(config.backupDir)) ??
    backups.findLast((backup) => stateOf(backup) === 'verified')?.name;
  const history = await orWarn(
    readHistory(config.backupDir),
    [],
    'what was done with the backups',
    log,
  );
  const checks = checksByBackup(history);
  const places = config.offsite.urls.map((url) => ({ url, has: lyingAt(url, history) }));
  const marks = await orWarn(
    readKeptMarks(config.backupDir),
    new Map(),
    'which backups are to be kept',
    log,
  );
  const suspicions = await suspicionsOf(context, backups);
  const listed: ListedBackup[] = [];
  for (const backup of backups.toReversed()) {
    const isLatest = backup.name === latest;
    const mayBeOld = backup.condition === 'unverified';
    const byOldScript =
      mayBeOld && (await isByOldScript(backup, readAccess(context)).catch(() => false));
    const known = describeListed(backup, now(), checks.get(backup.name));
    const copies = places.filter(({ has }) => has.has(backup.name)).map(({ url }) => url);
    const suspicion = suspicions.get(backup.name);
    listed.push({
      ...known,
      suspicion,
      isLatest,
      isKept: isKept(backup, marks),
      byOldScript,
      copies,
    });
  }
  return listed;
}

/** Files that somebody may take for backups, whose names are not exactly a backup's. */
export async function listAlmost({ config }: Context): Promise<string[]> {
  return listAlmostBackups(config.backupDir);
}
