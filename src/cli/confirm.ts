import { Failure } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Terminal } from './terminal.ts';

/** How often a person may mistype. */
const attempts = 3;

/**
 * Lets a person type the database's name, which cannot happen by accident. A wrong answer asks again.
 * @throws Failure `usage` where no answer is right, or there is nobody to ask; Interrupted.
 */
export async function confirm(
  question: string,
  target: string,
  shell: Terminal,
  log: Log,
  what = 'a restore',
): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const answer = await ask(`${question} Type the name of the database to go on: `, shell, log);
    if (answer === undefined) {
      throw new Failure('usage', `${what} must be confirmed, and there is no terminal to ask at`, {
        hint: 'add --yes if you are sure',
      });
    }
    if (answer === 'end') break;
    const typed = answer.text.trim();
    // It stands in quotes in the question.
    if (typed === target || typed === `"${target}"`) return;
    if (attempt < attempts) {
      log.info(`that was not "${target}"; nothing is changed until it is (Ctrl-C ends)`);
    }
  }
  throw new Failure('usage', `not confirmed: the answer was not "${target}"`, {
    hint: 'nothing was changed; run it again and type the name, or use --yes',
  });
}

/** Also with `--quiet`, a person sees what the question is about. */
export const askingLog = (log: Log, { yes }: { readonly yes?: true }): Log =>
  yes || log.isLevelEnabled('info') ? log : log.child({}, { level: 'info' });

async function ask(question: string, shell: Terminal, log: Log) {
  try {
    return await shell.ask(question);
  } catch (error) {
    log.warn('nothing was changed');
    throw error;
  }
}
