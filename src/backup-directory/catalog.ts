import { lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptedEnding } from '../base/encryption.ts';
import { systemErrorCode } from '../base/errors.ts';
import { requireDirectory } from './directory.ts';
import { byAge, conditionOf, type Backup } from './backup.ts';
import { readManifest } from './manifest.ts';
import { momentOf, parseBackupName } from './names.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Every backup in a directory, oldest first. Links, directories and names that are not exactly a
 * backup's are not backups. A directory that does not exist has none.
 * @throws Failure `storage` where the directory cannot be read.
 */
export async function listBackups(directory: string): Promise<Backup[]> {
  return (await listNames(directory))
    .map((name) => findBackup(directory, name))
    .filter((backup) => backup !== undefined)
    .sort(byAge);
}

/**
 * The same of a directory that must be there unless nobody chose it: its disk may not be mounted.
 * @throws Failure `storage`.
 */
export async function listChosen(directory: string, isDefault: boolean): Promise<Backup[]> {
  if (!isDefault) await requireDirectory(directory);
  return listBackups(directory);
}

const besideBackups = new RegExp(`\\.(?:refused|globals)\\.sql(?:${encryptedEnding})?$`);

/** Named almost like a backup: a copy by a browser or an editor, which nothing here looks at. */
const almostBackup = /pratiko_backup_\d{8}.*\.sql/i;

/**
 * The names of files that somebody may take for backups and that are none, for their names are not
 * exactly a backup's.
 * @throws Failure `storage` where the directory cannot be read.
 */
export async function listAlmostBackups(directory: string): Promise<string[]> {
  const names = await listNames(directory);
  return names
    .filter((name) => almostBackup.test(name) && !name.startsWith('.'))
    .filter((name) => parseBackupName(name) === undefined && !besideBackups.test(name))
    .sort();
}

/**
 * The backup of that name; undefined where there is no such file, or that is no backup's name.
 * @throws Failure `storage`.
 */
export function findBackup(directory: string, name: string): Backup | undefined {
  const parsed = parseBackupName(name);
  if (parsed === undefined) return undefined;
  const path = join(directory, name);
  try {
    const stats = lstatSync(path);
    if (!stats.isFile()) return undefined;
    const read = readManifest(directory, parsed);
    const manifest = typeof read === 'object' ? read : undefined;
    const madeAt = manifest === undefined ? momentOf(parsed.stamp) : new Date(manifest.createdAt);
    const condition = conditionOf(stats.size, read);
    return { ...parsed, name, path, bytes: stats.size, manifest, condition, madeAt };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read ${path}`, error);
  }
}

/**
 * The names of everything in a directory; none where there is no such directory.
 * @throws Failure `storage`.
 */
export async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw storageFailure(`read the backup directory ${directory}`, error);
  }
}
