import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';

/** Keys that are known, and what to do where one is of another kind; a private key is never repeated. */
const unsupported: readonly (readonly [RegExp, string])[] = [
  // In a file; in the setting itself it is refused before.
  [/^AGE-(?:SECRET-KEY|PLUGIN)-/i, 'a private key: public keys belong here, which begin with age1'],
  [/^(?:sk-)?(?:ssh|ecdsa)-/, 'an SSH key: make one of age with `pratiko-backup keygen`'],
  // What follows the first 1 of an own key has none.
  [/^age1(?!pq1)[^1]+1/i, 'a key of a plugin, which this tool does not load'],
];

/**
 * The public keys in BACKUP_AGE_RECIPIENT: keys, separated by spaces or commas, or the path of a file with
 * one in each line, as `age --recipients-file` reads it.
 * @param resolvePath makes a path absolute.
 * @throws Failure `usage` where one is none, or the file cannot be read.
 */
export async function readRecipients(
  setting: string,
  resolvePath: (path: string) => string,
): Promise<string[]> {
  const isKeys = /^\s*(?:age1|(?:sk-)?ssh-|(?:sk-)?ecdsa-)/i.test(setting);
  const place = isKeys ? 'BACKUP_AGE_RECIPIENT' : resolvePath(setting);
  const words = isKeys
    ? setting.split(/[\s,]+/).filter((word) => word !== '')
    : linesOf(await readKeyFile(place, 'BACKUP_AGE_RECIPIENT'));
  if (words.length === 0) throw notUsable(`there is no key in ${place}`);
  const { Encrypter } = await import('age-encryption');
  for (const [index, word] of words.entries()) {
    const which = words.length === 1 ? 'the key' : `key ${index + 1}`;
    const known = unsupported.find(([pattern]) => pattern.test(word));
    if (known !== undefined) throw notUsable(`${which} in ${place} is ${known[1]}`);
    try {
      new Encrypter().addRecipient(word);
    } catch {
      throw notUsable(`${which} in ${place} is no public key of age`);
    }
  }
  return words;
}

const notUsable = (message: string) =>
  new Failure('usage', `${message}, so nothing can be encrypted`, {
    hint: 'a public key begins with age1 and is in one piece; `pratiko-backup keygen` makes a pair',
  });

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

const linesOf = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

async function readKeyFile(path: string, variable: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `cannot read the file that ${variable} names: ${messageOf(error)}`, {
      hint: 'check the path and the permissions of the file; is its disk there?',
      cause: error,
    });
  }
}
