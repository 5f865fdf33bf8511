import { totalRows } from '../base/table-rows.ts';
import { stateOf, type Backup, type State } from '../backup-directory/backup.ts';
import { listAlmostBackups, listBackups } from '../backup-directory/catalog.ts';
import { requireDirectory } from '../backup-directory/directory.ts';
import { readLatest } from '../backup-directory/latest.ts';
import { momentOf } from '../backup-directory/names.ts';
import { isByOldScript } from '../archive/identify.ts';
import { messageOf } from '../base/errors.ts';
import { contactMaintenance } from '../postgres/contact.ts';
import {
  previousDatabases,
  rescuedDatabases,
  type PreviousDatabase,
  type RescuedDatabase,
} from '../postgres/previous.ts';
import { configuredServer, type Context } from '../context.ts';

export interface ListedBackup {
  readonly name: string;
  readonly path: string;
  /** When it was made, from its name, in local time. */
  readonly moment: Date;
  readonly ageMs: number;
  readonly bytes: number;
  /** Undefined where there is no manifest to tell. */
  readonly tables: number | undefined;
  readonly rows: number | undefined;
  /** As far as can be told without reading the file. */
  readonly state: State;
  readonly isLatest: boolean;
  /** Made by the scripts that came before this tool. */
  readonly byOldScript: boolean;
}

/** Every backup in the backup directory, oldest first. */
export async function listFiles({ config, now }: Context): Promise<ListedBackup[]> {
  if (!config.backupDirIsDefault) await requireDirectory(config.backupDir);
  const backups = await listBackups(config.backupDir);
  const latest =
    (await readLatest(config.backupDir)) ??
    backups.findLast((backup) => stateOf(backup) === 'verified')?.stamp;
  const listed: ListedBackup[] = [];
  for (const backup of backups) {
    const isLatest = backup.stamp === latest;
    const mayBeOld = backup.condition === 'unverified';
    const byOldScript = mayBeOld && (await isByOldScript(backup).catch(() => false));
    listed.push({ ...describe(backup, now()), isLatest, byOldScript });
  }
  return listed;
}

/** Files that somebody may take for backups, whose names are not exactly a backup's. */
export async function listAlmost({ config }: Context): Promise<string[]> {
  return listAlmostBackups(config.backupDir);
}

/** How long the server may let a list wait. */
const connectSeconds = '3';

/** What is on the server because of this tool. */
export interface KeptDatabases {
  /** Replaced by restores, oldest first. */
  readonly previous: readonly PreviousDatabase[];
  /** They hold what salvages have rescued. */
  readonly rescued: readonly RescuedDatabase[];
}

/**
 * The databases that restores and salvages have left on the server on purpose.
 * @returns why not, where the server cannot be asked.
 */
export async function listKept(
  context: Context,
): Promise<{ readonly kept: KeptDatabases } | { readonly problem: string }> {
  try {
    const server = await configuredServer(context);
    const environment = { ...server.environment, PGCONNECT_TIMEOUT: connectSeconds };
    await using contacted = await contactMaintenance({ ...server, environment });
    const previous = await previousDatabases(contacted);
    return { kept: { previous, rescued: await rescuedDatabases(contacted) } };
  } catch (error) {
    context.signal.throwIfAborted();
    return { problem: messageOf(error) };
  }
}

function describe(backup: Backup, now: Date): Omit<ListedBackup, 'isLatest' | 'byOldScript'> {
  const moment = momentOf(backup.stamp);
  const { manifest } = backup;
  return {
    name: backup.name,
    path: backup.path,
    moment,
    ageMs: now.getTime() - moment.getTime(),
    bytes: backup.bytes,
    tables: manifest?.tables.length,
    rows: manifest && totalRows(manifest.tables),
    state: stateOf(backup),
  };
}
