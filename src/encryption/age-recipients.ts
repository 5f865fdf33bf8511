import { Failure } from '../base/errors.ts';
import { linesOf, readKeyFile } from './key-file.ts';

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
