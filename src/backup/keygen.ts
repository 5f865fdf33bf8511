import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { createPrivateFile, syncDirectory } from '../backup-directory/durable-file.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import type { Context } from '../context.ts';
import { generateKeys } from '../encryption/age.ts';

/** A new pair of keys. */
export interface GeneratedKeys {
  /** The absolute path of the file with the private key. */
  readonly file: string;
  /** The public key, `age1…`. */
  readonly recipient: string;
}

/**
 * Makes a pair of keys of age, and writes the private one to a file that only its owner can read. It never
 * writes over anything.
 * @throws Failure `usage` where there is such a file; `storage`.
 */
export async function keygen(
  { cwd, now }: Pick<Context, 'cwd' | 'now'>,
  output: string,
): Promise<GeneratedKeys> {
  const file = resolve(cwd, output);
  const { identity, recipient } = await generateKeys();
  try {
    const handle = await createPrivateFile(file);
    try {
      // As age-keygen writes it.
      const lines = [
        `# created: ${now().toISOString()}`,
        `# public key: ${recipient}`,
        identity,
        '',
      ];
      await handle.writeFile(lines.join('\n'));
      await handle.sync();
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await syncDirectory(dirname(file));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') {
      const { message } = storageFailure(`write ${file}`, error);
      throw new Failure('storage', message, {
        hint: `let --output name a file in a directory that is there, and that you may write to`,
        cause: error,
      });
    }
    throw new Failure('usage', `${file} is there already: no key is written over another`, {
      hint: `choose another name: \`pratiko-backup keygen --output ${shellWord(join(dirname(file), `other_${basename(file)}`))}\``,
      cause: error,
    });
  }
  return { file, recipient };
}
