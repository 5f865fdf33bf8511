import { Failure } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { linesOf, readKeyFile } from './key-file.ts';

/**
 * The private keys in a file, one in each line, as `age-keygen` writes it.
 * @throws Failure `usage` where it cannot be read, or holds something else. Nothing of it is repeated.
 */
export async function readIdentities(path: string): Promise<string[]> {
  const text = await readKeyFile(path, 'BACKUP_AGE_IDENTITY_FILE');
  const lines = linesOf(text);
  if (lines.length === 0) throw noIdentity(`there is no key in ${path}`);
  if (/^(?:age-encryption\.org|-----BEGIN AGE)/.test(text)) {
    throw noIdentity(
      `${path} is locked with a passphrase`,
      `unlock it where only you can read it: \`age --decrypt ${shellWord(path)}\`, and name that file`,
    );
  }
  const { Decrypter } = await import('age-encryption');
  for (const [index, line] of lines.entries()) {
    try {
      new Decrypter().addIdentity(line);
    } catch {
      throw noIdentity(`key ${index + 1} in ${path} is no private key of age`);
    }
  }
  return lines;
}

const noIdentity = (
  message: string,
  hint = 'a private key begins with AGE-SECRET-KEY-1 and is in one piece; keys of plugins and of SSH cannot be used',
) => new Failure('usage', `${message}: nothing can be decrypted with it`, { hint });
