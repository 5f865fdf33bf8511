import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { conditionOf, type BackupFile } from './backup.ts';
import { findBackup, listAlmostBackups, listBackups } from './catalog.ts';
import { requireDirectory } from './directory.ts';
import { foundBad, readHistory } from './history.ts';
import { findLatest, readLatestBackup } from './latest.ts';
import { formatLatestName, latestNames } from './names.ts';
import { newestGood } from './newest-good.ts';
import { storageFailure } from './storage-failure.ts';

/** A file to verify or restore. */
export interface Located {
  readonly file: BackupFile;
  /** Why this one was taken where it is not the one that was asked for, for people. */
  readonly note?: string;
}

/**
 * Finds what a person means by `[file]`: a path, a name in the backup directory, a timestamp, or
 * the latest backup (`latest`, or nothing).
 * @param database without argument, its own newest backup comes before a latest one of another, and what was found
 *   not good is passed over.
 * @throws Failure `noSuchBackup` with what would be accepted.
 */
export async function locateBackup(
  directory: string,
  argument: string | undefined,
  cwd: string,
  database?: string,
): Promise<Located> {
  if (argument === undefined) {
    const found = (await newestOf(directory, database)) ?? (await latestBackup(directory));
    return database === undefined ? found : unlessBad(directory, found);
  }
  if (argument === 'latest') return latestBackup(directory);
  const candidates = [join(directory, argument), resolve(cwd, argument)];
  if (argument.includes('/')) candidates.shift();
  for (const path of candidates) {
    if (latestNames.some((name) => path === join(directory, name))) return latestBackup(directory);
    const file = await fileAt(path);
    if (file !== undefined) return { file };
  }
  return { file: await backupCalled(argument, directory) };
}

/** A timestamp as people write and as `list` prints it, or its beginning; a name without its ending. */
async function backupCalled(argument: string, directory: string): Promise<BackupFile> {
  const beginning = stampBeginning(argument.trim());
  const backups = beginning === undefined ? [] : await listBackups(directory);
  const found = backups.filter(({ stamp }) => stamp.startsWith(beginning ?? stamp));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new Failure('noSuchBackup', `no such backup: ${argument}`, {
      hint: `give a path, a name or timestamp from \`pratiko-backup list\`, or \`latest\` (looked in ${directory})`,
    });
  }
  const stamps = [...new Set(found.map(({ stamp }) => stamp))];
  const names = found.map(({ name }) => name);
  throw new Failure('noSuchBackup', `${found.length} backups begin with ${argument}`, {
    hint:
      stamps.length === 1
        ? `give the whole name: ${names.join(', ')}`
        : `give more of the timestamp: ${stamps.slice(-5).join(', ')}`,
  });
}

const written =
  /^(?:pratiko_backup_)?(\d{4})-?(\d\d?)?-?(\d\d?)?[_ T]?(\d\d?)?:?(\d\d?)?:?(\d\d?)?(?:\.sql(?:\.gz(?:\.(?:age|gpg))?)?)?$/;

/** `2025-11-29 14:00` → `20251129_1400`; undefined for what is no timestamp. */
export function stampBeginning(text: string): string | undefined {
  const fields: (string | undefined)[] | undefined = written.exec(text)?.slice(1);
  if (fields === undefined) return undefined;
  const given = fields.filter((field) => field !== undefined);
  if (given.slice(1, -1).some((field) => field.length === 1)) return undefined;
  const date = given.slice(0, 3).join('');
  return given.length > 3 ? `${date}_${given.slice(3).join('')}` : date;
}

/** The newest good backup of a database, where `latest` is one of another database. */
async function newestOf(
  directory: string,
  database: string | undefined,
): Promise<Located | undefined> {
  const latest = await readLatestBackup(directory);
  if (latest === undefined || database === undefined) return undefined;
  const owner = latest.manifest?.database.name;
  if (owner === undefined || owner === database) return undefined;
  const own = (await listBackups(directory)).findLast(
    (backup) => looksGood(backup) && backup.manifest?.database.name === database,
  );
  return (
    own && {
      file: own,
      note: `the latest backup is of another database; taking the newest of "${database}"`,
    }
  );
}

/** Another one where it is known that this one is not good. */
async function unlessBad(directory: string, found: Located): Promise<Located> {
  const { name, manifest } = found.file;
  const history = await readHistory(directory).catch(() => []);
  if (!foundBad(history).has(name)) return found;
  const other = newestGood(await listBackups(directory), history, manifest?.database.name);
  if (other === undefined) return found;
  const note = `${name} was found not good before; taking ${other.name}, the newest that looks good`;
  return { file: other, note };
}

async function latestBackup(directory: string): Promise<Located> {
  const backup = await readLatestBackup(directory);
  if (backup !== undefined) return { file: backup };
  const backups = await listBackups(directory);
  const newest = backups.filter(looksGood).at(-1) ?? backups.at(-1);
  if (newest === undefined) return failWithoutBackups(directory);
  const taking = looksGood(newest) ? 'the newest that looks good' : 'the newest';
  const link = await findLatest(directory);
  const why =
    link === undefined
      ? `there is no ${formatLatestName(undefined)} here`
      : `${link} leads to no backup here`;
  return { file: newest, note: `${why}; taking ${taking}` };
}

/**
 * There is nothing to verify or restore.
 * @throws Failure `noSuchBackup`; `storage` where there is not even the directory.
 */
export async function failWithoutBackups(directory: string): Promise<never> {
  await requireDirectory(directory);
  const almost = await listAlmostBackups(directory);
  const other =
    almost.length === 0
      ? ''
      : `; ${almost.slice(0, 3).join(', ')} has not exactly a backup's name: give its path`;
  throw new Failure('noSuchBackup', `no backup in ${directory}`, {
    hint: `copy your backups into it, or name their directory with --backup-dir or BACKUP_DIR${other}; \`pratiko-backup backup\` makes one of a database that is still there`,
  });
}

const looksGood = ({ condition }: BackupFile) => condition === 'verified';

async function fileAt(path: string): Promise<BackupFile | undefined> {
  const backup = findBackup(dirname(path), basename(path));
  if (backup !== undefined) return backup;
  try {
    const stats = await stat(path);
    if (stats.isDirectory() && (await readdir(path)).includes('toc.dat'))
      throw directoryFormat(path);
    if (stats.isDirectory()) throw isDirectory(path);
    if (!stats.isFile()) return undefined;
    const bytes = stats.size;
    const condition = conditionOf(bytes, undefined);
    return { name: basename(path), path, bytes, manifest: undefined, condition };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error instanceof Failure ? error : storageFailure(`read ${path}`, error);
  }
}

const isDirectory = (path: string) =>
  new Failure('noSuchBackup', `${path} is a directory`, {
    hint: `give the path of a file in it; or the directory as --backup-dir ${shellWord(path)}: then the latest backup in it is taken`,
  });

function directoryFormat(path: string): Failure {
  return new Failure('verificationFailed', `${path} is a dump in pg_dump's directory format`, {
    hint: '`pg_restore` reads it: create a new database and run `pg_restore --dbname NEW_DATABASE DIRECTORY`',
  });
}
