import { checksumOfFile } from '../archive/file-checksum.ts';
import { checkArchive, type ArchiveReport } from '../archive/reader.ts';
import { Failure } from '../base/errors.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { recordForBackup } from '../backup-directory/history.ts';
import type { VerifyEvent } from '../backup-directory/history-event.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { readAccess, type Context } from '../context.ts';
import { DumpInspector } from '../dump/contents.ts';
import { Locked } from '../encryption/locked.ts';

/** Why the contents of a backup were not checked, though its bytes are those that were written. */
export interface Unchecked {
  readonly failure: Failure;
  /** Nobody has given a key, as it should be where backups are made. */
  readonly isWithoutKey: boolean;
}

/** What was found of a backup. */
interface Read extends Pick<ArchiveReport, 'contents' | 'defects'> {
  readonly unchecked?: Unchecked;
  /** What to do where it could not be read. */
  readonly hint?: string;
}

/**
 * Reads a backup from the first to the last byte, and adds what was found to the history. What could not be read
 * was not checked, and has that for a defect.
 */
export async function readBackup(file: BackupFile, context: Context): Promise<Read> {
  try {
    const report = await checkArchive(file, readAccess(context));
    await record(context, file, report.defects);
    return report;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { manifest } = file;
    // A key that is missing, or the wrong one, says nothing of the backup.
    if (error.kind === 'usage' && manifest !== undefined) {
      const isWithoutKey = error instanceof Locked && error.isWithoutKey;
      const unchecked = { failure: error, isWithoutKey };
      return await compareBytes(file, manifest, context, unchecked);
    }
    const why = error instanceof Locked ? error.clause : error.message;
    return { ...unread([why]), hint: error.hint };
  }
}

/** Without the key, what can be known is whether the bytes are those that were written. */
async function compareBytes(
  file: BackupFile,
  { sha256, tables }: Manifest,
  context: Context,
  unchecked: Unchecked,
): Promise<Read> {
  const found = await checksumOfFile(file, `reading ${file.name}`, context);
  if (found !== sha256) {
    const defects = ['checksum differs from the manifest'];
    await record(context, file, defects);
    return unread(defects);
  }
  const { contents, defects } = unread([]);
  return { contents: { ...contents, tables }, defects, unchecked };
}

const unread = (defects: readonly string[]): Read => ({
  contents: new DumpInspector().contents(),
  defects,
});

/** Whoever may only read the backups verifies them all the same. */
async function record(
  { config, log, now }: Context,
  file: BackupFile,
  defects: readonly string[],
): Promise<void> {
  const found: Pick<VerifyEvent, 'outcome' | 'message'> =
    defects.length === 0 ? { outcome: 'good' } : { outcome: 'bad', message: defects.join('; ') };
  const event: VerifyEvent = {
    at: now().toISOString(),
    event: 'verify',
    backup: file.name,
    ...found,
  };
  await recordForBackup(config.backupDir, file, event, log, 'debug');
}
