import { quickCheck, recognise, type Unusable } from '../archive/quick-check.ts';
import { Failure } from '../errors.ts';
import { locateBackup, useAnother, type BackupFile } from '../store/locate.ts';
import { storageFailure } from '../store/storage-failure.ts';

export interface DumpLocation {
  readonly directory: string;
  /** What a person calls it; undefined: the latest backup. */
  readonly file: string | undefined;
  readonly cwd: string;
  readonly database: string;
  readonly onWarning: (message: string) => void;
}

/**
 * Finds a file to restore, whatever is in it.
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function locateDump(location: DumpLocation): Promise<BackupFile> {
  const { directory, file, cwd, database, onWarning } = location;
  const found = await locateBackup(directory, file, cwd, database);
  if (found.note !== undefined) onWarning(found.note);
  if (found.manifest !== 'unreadable') return found;
  onWarning(`the manifest of ${found.name} makes no sense: going on without it`);
  return { ...found, manifest: undefined };
}

/**
 * @param directory where another backup may be.
 * @param unproven it need not look like a dump by pg_dump.
 * @throws Failure `verificationFailed` for a file that cannot be what it should be; `storage`.
 */
export async function requireRestorable(
  file: BackupFile,
  directory: string,
  unproven: boolean,
): Promise<BackupFile> {
  await refuse(file, await looked(file, (archive) => quickCheck(archive, { unproven })), directory);
  return file;
}

/** @throws Failure `verificationFailed` for a file that is something else than a plain dump; `storage`. */
export async function requireRecognised(file: BackupFile, directory: string): Promise<void> {
  await refuse(file, await looked(file, recognise), directory);
}

async function looked(
  file: BackupFile,
  look: (file: BackupFile) => Promise<Unusable | undefined>,
): Promise<Unusable | undefined> {
  try {
    return await look(file);
  } catch (error) {
    throw storageFailure(`read ${file.path}`, error);
  }
}

async function refuse(
  { name, path }: BackupFile,
  problem: Unusable | undefined,
  directory: string,
): Promise<void> {
  if (problem === undefined) return;
  const { what, hint = await useAnother(directory, path) } = problem;
  throw new Failure('verificationFailed', `${name} cannot be restored: it is ${what}`, { hint });
}
