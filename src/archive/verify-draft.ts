import { Defect, Failure } from '../base/errors.ts';
import type { Watched } from '../base/step.ts';
import type { Draft } from '../backup-directory/draft.ts';
import { firstDifference } from '../base/table-rows.ts';
import { checksumOfFile } from './file-checksum.ts';
import type { Written } from './writer.ts';

/**
 * Reads a sealed draft back from the disk and compares it with what was written, byte for byte, and
 * what that was decompressed to on its way there with what was dumped, row for row.
 * @throws Failure `verificationFailed`, `storage`.
 */
export async function verifyDraft(draft: Draft, written: Written, watched: Watched): Promise<void> {
  const file = { path: draft.path, bytes: written.fileBytes };
  const sha256 = await checksumOfFile(file, 'verifying', watched);
  const defect =
    sha256 === written.sha256
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
