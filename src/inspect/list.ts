import { isByOldScript } from '../archive/identify.ts';
import { totalRows } from '../base/table-rows.ts';
import { stateOf, type Backup, type State } from '../backup-directory/backup.ts';
import { isKept, readKeptMarks } from '../backup-directory/kept.ts';
import { copiesAt } from '../backup-directory/copied.ts';
import { listAlmostBackups, listChosen } from '../backup-directory/catalog.ts';
import { readHistory } from '../backup-directory/history.ts';
import { readLatest } from '../backup-directory/latest.ts';
import { momentOf } from '../backup-directory/names.ts';
import { readAccess, type Context } from '../context.ts';
import { orWarn } from './or-warn.ts';
import { suspicionsOf } from './suspicions.ts';
import { checksByBackup, type Checks } from './checks.ts';

export interface ListedBackup {
  readonly name: string;
  readonly path: string;
  /** When it was made, from its name, in local time. */
  readonly moment: Date;
  readonly ageMs: number;
  readonly bytes: number;
  /** The database that it is of; undefined where there is no manifest to tell, as the next four. */
  readonly database: string | undefined;
  readonly tables: number | undefined;
  readonly rows: number | undefined;
  /** How long it took to make. */
  readonly durationMs: number | undefined;
  /** As far as can be told without reading the file. */
  readonly state: State;
  /** When it was last read and found good: when it was made, or by `verify` since. */
  readonly verifiedAt: Date | undefined;
  readonly drill: Checks['drill'];
  /** What looks wrong beside the backup before, a clause for people. */
  readonly suspicion: string | undefined;
  readonly isLatest: boolean;
  /** What a person has called it. */
  readonly label: string | undefined;
  /** It stays, however old. */
  readonly isKept: boolean;
  /** Tables whose rows were left out on purpose. */
  readonly leftOut: readonly string[];
  /** Made by the scripts that came before this tool. */
  readonly byOldScript: boolean;
  readonly encryption: Backup['encryption'];
  /** Where copies of it were confirmed to be, as in OFFSITE_URL. */
  readonly copies: readonly string[];
}

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
  const places = config.offsite.urls.map((url) => ({ url, has: copiesAt(url, history) }));
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
    const known = describe(backup, now(), checks.get(backup.name));
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

function describe(
  backup: Backup,
  now: Date,
  checks: Checks | undefined,
): Omit<ListedBackup, 'isLatest' | 'isKept' | 'byOldScript' | 'suspicion' | 'copies'> {
  const moment = momentOf(backup.stamp);
  const { manifest } = backup;
  const looks = stateOf(backup);
  const state = checks?.isBad ? 'damaged' : looks;
  return {
    name: backup.name,
    path: backup.path,
    moment,
    ageMs: now.getTime() - moment.getTime(),
    bytes: backup.bytes,
    database: manifest?.database.name,
    tables: manifest?.tables.length,
    rows: manifest && totalRows(manifest.tables),
    durationMs: manifest?.durationMs,
    label: manifest?.label,
    leftOut: manifest?.leftOut?.tables ?? [],
    encryption: backup.encryption,
    state,
    verifiedAt:
      state === 'damaged'
        ? undefined
        : (checks?.verifiedAt ?? (looks === 'verified' ? backup.madeAt : undefined)),
    drill: checks?.drill,
  };
}
