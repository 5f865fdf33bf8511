import { shellWord } from '../base/format.ts';
import { mayBeSecret } from './values.ts';

/** A command of the team, as a person can copy it; of one that may hold a secret, how it begins. */
export function commandLabel(words: readonly string[]): string {
  const text = words.map(shellWord).join(' ');
  const isSecret = mayBeSecret(text) || words.some((word) => /(?:^|\/)sshpass$/.test(word));
  return isSecret ? `${words[0] ?? ''} …` : text;
}
