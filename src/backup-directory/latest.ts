import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve, basename } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import type { Backup } from './backup.ts';
import { findBackup } from './catalog.ts';
import { syncDirectory } from './durable-file.ts';
import { storageFailure } from './storage-failure.ts';
import {
  formatBackupName,
  formatLatestName,
  formatPartialName,
  latestNames,
  parseBackupName,
  type BackupName,
} from './names.ts';

/**
 * The name of the backup in `directory` to which `latest` leads; undefined where that is no link or leads to
 * anything else. Where a run was killed while it made another one, the newest counts.
 */
export async function readLatest(directory: string): Promise<string | undefined> {
  try {
    const targets = await Promise.all(latestNames.map((name) => readLink(join(directory, name))));
    return targets
      .map((target) => target && resolve(directory, target))
      .filter((path) => path !== undefined && dirname(path) === directory)
      .map((path = '') => basename(path))
      .filter((name) => parseBackupName(name) !== undefined)
      .sort()
      .at(-1);
  } catch (error) {
    throw storageFailure(`read the backup directory ${directory}`, error);
  }
}

/** The backup to which `latest` leads; undefined where it leads to none that is there. */
export async function readLatestBackup(directory: string): Promise<Backup | undefined> {
  const name = await readLatest(directory);
  return name === undefined ? undefined : findBackup(directory, name);
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The name of what is called `latest`, wherever it leads; undefined where nothing is. */
export async function findLatest(directory: string): Promise<string | undefined> {
  for (const name of latestNames) {
    const isThere = await lstat(join(directory, name)).then(
      () => true,
      () => false,
    );
    if (isThere) return name;
  }
  return undefined;
}

/**
 * The name of the backup to which `latest` leads, `nowhere`, or undefined where there is no link.
 * @throws Failure `storage`.
 */
export const whereLatestLeads = async (directory: string): Promise<string | undefined> =>
  (await readLatest(directory)) ?? ((await findLatest(directory)) && 'nowhere');

/** What file systems answer that have no symbolic links (CIFS, FAT, some NAS). */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK'];

/** Whether `pointLatest` failed because links cannot be made here at all. */
export function isWithoutLinks(error: unknown): boolean {
  return (
    error instanceof Error &&
    'syscall' in error &&
    error.syscall === 'symlink' &&
    withoutLinks.includes(systemErrorCode(error) ?? '')
  );
}

/**
 * Points `latest` to a backup, atomically and durably. It ends as the backup does, and no other one stays.
 * What stands there and is no link is moved aside.
 * @returns what was moved, by the name that it had.
 */
export async function pointLatest(
  directory: string,
  backup: BackupName,
): Promise<ReadonlyMap<string, string>> {
  const latest = formatLatestName(backup.encryption);
  const aside = await setAside(directory, backup);
  const next = join(directory, formatPartialName(latest));
  await rm(next, { force: true });
  try {
    await symlink(formatBackupName(backup), next);
  } catch (error) {
    // One that leads to an older backup would be worse than none.
    if (isWithoutLinks(error)) await removeLinks(directory, latestNames);
    throw error;
  }
  await rename(next, join(directory, latest));
  await removeLinks(
    directory,
    latestNames.filter((name) => name !== latest),
  );
  await syncDirectory(directory);
  return aside;
}

/** Moves aside what is called `latest` and is no link. */
async function setAside(directory: string, { stamp }: BackupName): Promise<Map<string, string>> {
  const aside = new Map<string, string>();
  for (const name of latestNames) {
    if (!(await isForeign(join(directory, name)))) continue;
    const other = `${name}.set_aside_${stamp}`;
    await rename(join(directory, name), join(directory, other));
    aside.set(name, other);
  }
  return aside;
}

async function removeLinks(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(directory, name), { force: true });
}

async function isForeign(link: string): Promise<boolean> {
  try {
    return !(await lstat(link)).isSymbolicLink();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
