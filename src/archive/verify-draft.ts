import { createReadStream } from 'node:fs';
import { Defect, Failure } from '../base/errors.ts';
import type { Draft } from '../backup-directory/draft.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';
import { firstDifference } from '../base/table-rows.ts';
import type { WriteOptions, Written } from './writer.ts';

/**
 * Reads a sealed draft back from the disk and compares it with what was written, byte for byte, and
 * what that was decompressed to on its way there with what was dumped, row for row.
 * @throws Failure `verificationFailed`, `storage`.
 */
export async function verifyDraft(
  draft: Draft,
  written: Written,
  signal: AbortSignal,
  { onProgress }: Pick<WriteOptions, 'onProgress'>,
): Promise<void> {
  const checksum = new Checksum();
  try {
    const file = createReadStream(draft.path, { highWaterMark: 1024 * 1024, signal });
    for await (const _ of checksum.through(file as AsyncIterable<Buffer>)) {
      const totalBytes = written.fileBytes;
      onProgress?.({ phase: 'verifying', bytes: checksum.bytes, totalBytes, table: undefined });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${draft.path}`, error);
  }
  const defect =
    checksum.sha256() === written.sha256
      ? contentDefect(written)
      : 'the file holds other bytes than were written';
  if (defect === undefined) return;
  throw new Failure('verificationFailed', `the new backup is not good and was removed: ${defect}`, {
    hint: 'check the disk (`dmesg`, `smartctl`) and run it again',
  });
}

function contentDefect({ contents, decompressed }: Written): string | undefined {
  if (decompressed instanceof Defect) return decompressed.message;
  if (decompressed.bytes !== contents.bytes) return 'it decompresses to another length';
  if (decompressed.defect !== contents.defect) return decompressed.defect ?? 'its end is another';
  return firstDifference(decompressed.tables, contents.tables);
}
