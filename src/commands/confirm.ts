import { Failure } from '../errors.ts';
import type { Shell } from './shell.ts';

/**
 * Lets a person type the database's name, which cannot happen by accident.
 * @throws Failure `usage` where the answer is another one, or there is nobody to ask.
 */
export async function confirm(question: string, target: string, shell: Shell): Promise<void> {
  const answer = await shell.ask(`${question} Type the name of the database to go on: `);
  if (answer === undefined) {
    throw new Failure('usage', 'a restore must be confirmed, and there is no terminal to ask at', {
      hint: 'add --yes if you are sure',
    });
  }
  if (answer.trim() === target) return;
  throw new Failure('usage', `not confirmed: the answer was not "${target}"`, {
    hint: 'nothing was changed; run it again and type the name, or use --yes',
  });
}
