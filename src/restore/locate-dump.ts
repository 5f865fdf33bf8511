import { dirname } from 'node:path';
import { findUnsupported, identify, type UnsupportedInput } from '../archive/identify.ts';
import type { RestoreChoice } from './choice.ts';
import { requireOwnDatabase } from './target.ts';
import { Failure } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import type { Config } from '../config/config.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { failedDrills, readHistory } from '../backup-directory/history.ts';
import { locateBackup } from '../backup-directory/locate.ts';
import { useAnother } from '../backup-directory/newest-good.ts';
import { readAccess, type Context } from '../context.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';

/**
 * Finds a file to restore, whatever is in it.
 * @param called what a person calls it; undefined: the latest backup.
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function locateDump(
  { config, cwd, log }: Context,
  called: string | undefined,
): Promise<BackupFile> {
  const { database } = config.connection;
  const { file, note } = await locateBackup(config.backupDir, called, cwd, database).catch(
    (error: unknown) => {
      throw orElsewhere(error, config, called);
    },
  );
  if (note !== undefined) log.warn(note);
  await warnOfChecks(file, config.backupDir, log);
  if (file.condition === 'byNewerVersion') {
    log.warn(
      `${file.name} was made by a newer version of this tool: going on without its manifest`,
    );
  }
  if (file.condition !== 'unreadableManifest') return file;
  log.warn(`the manifest of ${file.name} makes no sense: going on without it`);
  return { ...file, condition: 'unverified' };
}

/** What is not on a new machine may be where the copies are. */
function orElsewhere(error: unknown, { offsite }: Config, called: string | undefined): unknown {
  const isNotHere = error instanceof Failure && error.kind === 'noSuchBackup';
  if (!isNotHere || offsite.urls.length === 0) return error;
  const option = `--from-offsite${called === undefined ? '' : ` ${shellWord(called)}`}`;
  return new Failure(error.kind, error.message, {
    hint: `${option} takes it from the copies (${offsite.urls.join(', ')}); ${error.hint}`,
    cause: error,
  });
}

/** What `verify` or a drill has found before is said before anything is planned. */
async function warnOfChecks(
  { name, path }: BackupFile,
  directory: string,
  log: Context['log'],
): Promise<void> {
  if (dirname(path) !== directory) return;
  const history = await readHistory(directory).catch(() => []);
  const verified = history.findLast((event) => event.event === 'verify' && event.backup === name);
  const drilled = failedDrills(history).find(({ backup }) => backup === name);
  const hint = `\`pratiko-backup list\` shows other backups; \`pratiko-backup verify ${name}\` reads this one`;
  if (verified?.event === 'verify' && verified.outcome === 'bad') {
    log.warn({ hint }, `${name} was found not good before: ${verified.message ?? ''}`);
  }
  if (drilled !== undefined) {
    const what = 'did not come back as it was when it was last tried';
    log.warn({ hint }, `${name} ${what}: ${drilled.message ?? ''}`);
  }
}

/**
 * Finds the file to restore.
 * @throws Failure `noSuchBackup`, `verificationFailed`, `storage`; `usage` for a database of the server itself.
 */
export async function locateRestorable(
  context: Context,
  { file, unproven }: RestoreChoice,
): Promise<BackupFile> {
  requireOwnDatabase(context);
  const found = await locateDump(context, file);
  const problem = await looked(found, (dump) =>
    findUnsupported(dump, { ...readAccess(context), unproven }),
  );
  await refuse(context, found, problem);
  return found;
}

/** @throws Failure `verificationFailed` for a file that is something else than a plain dump; `storage`. */
export async function requireIdentified(context: Context, file: BackupFile): Promise<void> {
  await refuse(context, file, await looked(file, (dump) => identify(dump, readAccess(context))));
}

async function looked(
  file: BackupFile,
  look: (file: BackupFile) => Promise<UnsupportedInput | undefined>,
): Promise<UnsupportedInput | undefined> {
  try {
    return await look(file);
  } catch (error) {
    throw error instanceof Failure ? error : storageFailure(`read ${file.path}`, error);
  }
}

async function refuse(
  { config }: Context,
  file: BackupFile,
  problem: UnsupportedInput | undefined,
): Promise<void> {
  if (problem === undefined) return;
  const { backupDir, connection } = config;
  const { what, hint = await useAnother(backupDir, file, 'restore', connection.database) } =
    problem;
  throw new Failure('verificationFailed', `${file.name} cannot be restored: it is ${what}`, {
    hint,
  });
}
