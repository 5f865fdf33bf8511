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
 * @param unproven it need not look like a dump by pg_dump.
 * @throws Failure `verificationFailed` for a file that cannot be what it should be; `storage`.
 */
export async function requireRestorable(
  context: Context,
  file: BackupFile,
  unproven: boolean,
): Promise<BackupFile> {
  const problem = await looked(file, (archive) => findUnsupported(archive, { unproven }));
  await refuse(context, file, problem);
  return file;
}

/** @throws Failure `verificationFailed` for a file that is something else than a plain dump; `storage`. */
export async function requireIdentified(context: Context, file: BackupFile): Promise<void> {
  await refuse(context, file, await looked(file, identify));
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
  { config, repeated }: Context,
  { name, path }: BackupFile,
  problem: UnsupportedInput | undefined,
): Promise<void> {
  if (problem === undefined) return;
  const { what, hint = await useAnother(config.backupDir, path, 'restore', repeated.database) } =
    problem;
  throw new Failure('verificationFailed', `${name} cannot be restored: it is ${what}`, { hint });
}
