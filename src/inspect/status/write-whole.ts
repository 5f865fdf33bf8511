import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure, messageOf } from '../../base/errors.ts';

/**
 * Writes a file that others read at any time: they find the old text or the new one.
 * @throws Failure `storage`; nothing is left then.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const next = join(dirname(path), `.${basename(path)}.next`);
  try {
    await writeFile(next, text, { mode: 0o644 });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined); // the disk may be read-only
    throw new Failure('storage', `cannot write ${path}: ${messageOf(error)}`, {
      hint: 'give --output a file in a directory that is there, and that this user may write to',
      cause: error,
    });
  }
}
