import { lstat, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve, basename } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import { syncDirectory } from './durable-file.ts';
import { storageFailure } from './storage-failure.ts';
import { formatBackupName, latestName, parseBackupName, type Stamp } from './names.ts';

/** The backup in `directory` that `latest` names; undefined where it is no link or names anything else. */
export async function readLatest(directory: string): Promise<Stamp | undefined> {
  try {
    const target = resolve(directory, await readlink(join(directory, latestName)));
    return dirname(target) === directory ? parseBackupName(basename(target)) : undefined;
  } catch (error) {
    if (['ENOENT', 'EINVAL'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw storageFailure(`read the backup directory ${directory}`, error);
  }
}

/** Whether anything of that name is there, wherever it leads. */
export const hasLatest = (directory: string): Promise<boolean> =>
  lstat(join(directory, latestName)).then(
    () => true,
    () => false,
  );

/**
 * Where `latest` leads: to a backup, nowhere, or undefined where there is none.
 * @throws Failure `storage`.
 */
export const whereLatestLeads = async (directory: string): Promise<Stamp | 'nowhere' | undefined> =>
  (await readLatest(directory)) ?? ((await hasLatest(directory)) ? 'nowhere' : undefined);

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
 * Points `latest` to a backup, atomically and durably. What stands there and is no link is moved aside.
 * @returns the name it was moved to, if anything was.
 */
export async function pointLatest(directory: string, stamp: Stamp): Promise<string | undefined> {
  const link = join(directory, latestName);
  const aside = (await isForeign(link)) ? `${latestName}.set_aside_${stamp}` : undefined;
  if (aside !== undefined) await rename(link, join(directory, aside));
  const next = join(directory, `.${latestName}.partial`);
  await rm(next, { force: true });
  try {
    await symlink(formatBackupName(stamp), next);
  } catch (error) {
    // One that leads to an older backup would be worse than none.
    if (isWithoutLinks(error)) await rm(link, { force: true });
    throw error;
  }
  await rename(next, link);
  await syncDirectory(directory);
  return aside;
}

async function isForeign(link: string): Promise<boolean> {
  try {
    return !(await lstat(link)).isSymbolicLink();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
