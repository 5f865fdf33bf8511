import { access, mkdir } from 'node:fs/promises';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Creates the backup directory, private, where it may be created: one that was chosen and is
 * missing is more likely a disk that is not mounted.
 * @returns whether it was created just now.
 * @throws Failure `storage`.
 */
export async function ensureDirectory(directory: string, mayCreate: boolean): Promise<boolean> {
  if (!mayCreate) {
    await requireDirectory(directory);
    return false;
  }
  try {
    await mkdir(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw unusable(directory, error);
    return false;
  }
}

/**
 * @param what it is, for people.
 * @throws Failure `storage` where it is not there.
 */
export async function requireDirectory(
  directory: string,
  what = 'backup directory',
): Promise<void> {
  try {
    await access(directory);
  } catch (error) {
    throw unusable(directory, error, what);
  }
}

function unusable(directory: string, error: unknown, what = 'backup directory'): Failure {
  if (systemErrorCode(error) !== 'ENOENT') {
    return storageFailure(`use the ${what} ${directory}`, error);
  }
  return new Failure('storage', `there is no ${what} ${directory}`, {
    hint: `mount its disk, or create it: mkdir -p -m 700 ${shellWord(directory)}`,
    cause: error,
  });
}
