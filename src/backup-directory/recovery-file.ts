import { join } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import { writeDurably } from './durable-file.ts';
import { recoveryPageName } from './names.ts';
import { isOurs } from './recovery-page.ts';
import { readRegularFile } from './regular-file.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Writes the page about recovery into a directory, durably; nothing where it says the same already. Only under the lock.
 * @returns false where a file of that name is somebody else's: that stays as it is.
 * @throws Failure `storage`.
 */
export async function writeRecoveryPage(directory: string, page: string): Promise<boolean> {
  const path = join(directory, recoveryPageName);
  try {
    const present = await readRegularFile(path).then(String, (error: unknown) => {
      const code = systemErrorCode(error);
      if (code === 'ENOENT') return undefined;
      if (code === 'EISDIR' || code === 'ELOOP') return 'somebody else made it';
      throw error;
    });
    if (present !== undefined && !isOurs(present)) return false;
    if (present === page) return true;
    await writeDurably(directory, recoveryPageName, page);
    return true;
  } catch (error) {
    throw storageFailure(`write ${path}`, error);
  }
}
