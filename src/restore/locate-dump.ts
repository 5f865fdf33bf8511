import { findUnsupported, identify, type UnsupportedInput } from '../archive/identify.ts';
import { Failure } from '../base/errors.ts';
import { locateBackup, useAnother, type BackupFile } from '../backup-directory/locate.ts';
import type { Context } from '../context.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';

/**
 * Finds a file to restore, whatever is in it.
 * @param file what a person calls it; undefined: the latest backup.
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function locateDump(
  { config, cwd, log }: Context,
  file: string | undefined,
): Promise<BackupFile> {
  const found = await locateBackup(config.backupDir, file, cwd, config.connection.database);
  if (found.note !== undefined) log.warn(found.note);
  if (found.manifest !== 'unreadable') return found;
  log.warn(`the manifest of ${found.name} makes no sense: going on without it`);
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
  await refuse(
    file,
    await looked(file, (archive) => findUnsupported(archive, { unproven })),
    directory,
  );
  return file;
}

/** @throws Failure `verificationFailed` for a file that is something else than a plain dump; `storage`. */
export async function requireIdentified(file: BackupFile, directory: string): Promise<void> {
  await refuse(file, await looked(file, identify), directory);
}

async function looked(
  file: BackupFile,
  look: (file: BackupFile) => Promise<UnsupportedInput | undefined>,
): Promise<UnsupportedInput | undefined> {
  try {
    return await look(file);
  } catch (error) {
    throw storageFailure(`read ${file.path}`, error);
  }
}

async function refuse(
  { name, path }: BackupFile,
  problem: UnsupportedInput | undefined,
  directory: string,
): Promise<void> {
  if (problem === undefined) return;
  const { what, hint = await useAnother(directory, path) } = problem;
  throw new Failure('verificationFailed', `${name} cannot be restored: it is ${what}`, { hint });
}
