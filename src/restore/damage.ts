import { checkArchive, type ReadAccess } from '../archive/reader.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { UnsafeDump } from '../dump/replay-filter.ts';
import { requireGood } from './load/check.ts';

/**
 * What a damaged file seems to say is not what anyone wrote: where a dump reaches outside its database, the
 * file is read to its end before that is believed.
 * @param another what to do where it is not good, for people.
 * @returns the error; BadBackup where the file is not good.
 */
export async function orDamage(
  error: unknown,
  file: BackupFile,
  another: string,
  access: ReadAccess,
): Promise<unknown> {
  if (!(error instanceof UnsafeDump)) return error;
  try {
    requireGood(file, (await checkArchive(file, access)).defects, another);
    return error;
  } catch (worse) {
    return worse;
  }
}
