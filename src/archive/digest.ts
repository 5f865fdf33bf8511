import type { BackupFile } from '../backup-directory/backup.ts';
import { DumpDigester, type DumpDigest } from '../dump/digest.ts';
import type { ReplayFilter } from '../dump/replay-filter.ts';
import { ArchiveReader, reportOf, type ArchiveReport, type ReadOptions } from './reader.ts';

/** What a backup holds, and whether it is good. */
interface ArchiveDigest {
  readonly digest: DumpDigest;
  readonly report: ArchiveReport;
}

interface DigestOptions {
  /** Leaves out what it leaves out where the backup is loaded. */
  readonly replay?: ReplayFilter | undefined;
  /** Of another dump: rows of a table with the same columns in another order are taken in that. */
  readonly like?: DumpDigest | undefined;
}

/**
 * Reads a backup to its end and sums up what it holds.
 * @throws Failure `storage`; UnsafeDump where `replay` refuses something.
 */
export async function digestArchive(
  file: BackupFile,
  options: ReadOptions,
  { replay, like }: DigestOptions = {},
): Promise<ArchiveDigest> {
  const reader = new ArchiveReader(file, options);
  const digester = new DumpDigester(like);
  let isReplayed = false;
  for await (const token of reader) {
    for (const bytes of replay?.read(token) ?? []) isReplayed ||= hasText(bytes);
    digester.read(token, replay === undefined || isReplayed);
    if (token.type !== 'sql' || token.statement !== undefined) isReplayed = false;
  }
  return { digest: digester.digest(), report: reportOf(reader) };
}

/** Of a statement that is left out, its line breaks are replayed. */
const hasText = (bytes: Buffer) => bytes.some((byte) => byte !== 0x0a && byte !== 0x0d);
