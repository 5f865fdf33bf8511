import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { formatBackupName, parseBackupName, type Stamp } from './names.ts';
import { storageFailure } from './storage-failure.ts';

/** A file with a backup's name. */
export interface Backup {
  readonly stamp: Stamp;
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly manifest: Manifest | 'unreadable' | undefined;
}

/**
 * Every backup in a directory, oldest first. Links, directories and names that are not exactly a
 * backup's are not backups. A directory that does not exist has none.
 * @throws Failure `storage` where the directory cannot be read.
 */
export async function listBackups(directory: string): Promise<Backup[]> {
  const backups: Backup[] = [];
  for (const stamp of await stampsIn(directory)) {
    const backup = await findBackup(directory, stamp);
    if (backup !== undefined) backups.push(backup);
  }
  return backups;
}

/** The backup of a stamp; undefined where there is no such file. */
export async function findBackup(directory: string, stamp: Stamp): Promise<Backup | undefined> {
  const name = formatBackupName(stamp);
  const path = join(directory, name);
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return undefined;
    return { stamp, name, path, bytes: stats.size, manifest: await readManifest(directory, stamp) };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read ${path}`, error);
  }
}

async function stampsIn(directory: string): Promise<Stamp[]> {
  try {
    const names = await readdir(directory);
    return names
      .map(parseBackupName)
      .filter((stamp) => stamp !== undefined)
      .sort();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw storageFailure(`read the backup directory ${directory}`, error);
  }
}
