import { identify, identifyStray } from '../archive/identify.ts';
import type { TableRows } from '../base/table-rows.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { failWithoutBackups, locateBackup } from '../backup-directory/locate.ts';
import { useAnother } from '../backup-directory/newest-good.ts';
import { readAccess, type Context } from '../context.ts';
import { readBackup, type Unchecked } from './read-backup.ts';

export interface VerifyOptions {
  /** A path, name or timestamp; undefined: the latest backup. Not together with `all`. */
  readonly file: string | undefined;
  readonly all: boolean;
}

export interface Verdict {
  readonly name: string;
  readonly path: string;
  readonly good: boolean;
  /** Why it is not good. */
  readonly defects: readonly string[];
  /** What to do with a file that is something else than a backup. */
  readonly hint: string | undefined;
  readonly tables: readonly TableRows[];
  readonly fileBytes: number;
  /** Tables whose rows were left out on purpose. */
  readonly leftOut: readonly string[];
  /** How many messages of pg_dump the old scripts mixed into the dump; they are left out on restore. */
  readonly messages: number;
  /** Undefined where its contents were checked, or it is not good. */
  readonly unchecked: Unchecked | undefined;
  /** False where there was no manifest to compare with. */
  readonly hasManifest: boolean;
  /** It has one that this version cannot read. */
  readonly byNewerVersion: boolean;
}

export interface Verification {
  readonly verdicts: readonly Verdict[];
  /** What to do where one is not good, for people. */
  readonly another: string | undefined;
}

/**
 * Reads backups from the first to the last byte and says of each whether it is good. It changes none; what
 * it found is added to the history.
 * @throws Failure `noSuchBackup`; `storage`.
 */
export async function verify(context: Context, options: VerifyOptions): Promise<Verification> {
  const { config } = context;
  const verdicts: Verdict[] = [];
  let bad: BackupFile | undefined;
  for (const file of await filesToVerify(context, options)) {
    const verdict = await verifyFile(file, context);
    verdicts.push(verdict);
    if (!verdict.good) bad ??= file;
  }
  const { database } = config.connection;
  const another = bad && (await useAnother(config.backupDir, bad, 'verify', database));
  return { verdicts, another };
}

async function filesToVerify(
  { config, cwd, log }: Context,
  { file, all }: VerifyOptions,
): Promise<readonly BackupFile[]> {
  if (!all) {
    const found = await locateBackup(config.backupDir, file, cwd);
    if (found.note !== undefined) log.warn(found.note);
    return [found.file];
  }
  const backups = await listBackups(config.backupDir);
  if (backups.length > 0) return backups;
  return failWithoutBackups(config.backupDir);
}

async function verifyFile(file: BackupFile, context: Context): Promise<Verdict> {
  const report = await readBackup(file, context);
  const isGood = report.defects.length === 0;
  const foreign = isGood ? undefined : await whatElse(file, context).catch(() => undefined);
  return {
    name: file.name,
    path: file.path,
    good: isGood,
    defects: foreign === undefined ? report.defects : [`it is ${foreign.what}`],
    hint: foreign?.hint ?? report.hint,
    tables: report.contents.tables,
    fileBytes: file.bytes,
    leftOut: file.manifest?.leftOut?.tables ?? [],
    messages: report.contents.messages,
    unchecked: report.unchecked,
    hasManifest: file.manifest !== undefined,
    byNewerVersion: file.condition === 'byNewerVersion',
  };
}

/** A file that a manifest calls a backup is a damaged one, whatever its bytes look like. */
function whatElse(file: BackupFile, context: Context) {
  const identifyIt = file.condition === 'unverified' ? identifyStray : identify;
  return identifyIt(file, readAccess(context));
}
