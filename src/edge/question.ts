import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { visible } from '../base/text.ts';
import type { Answer } from '../cli/terminal.ts';

const { stdin, stderr } = process;

/**
 * Asks a person. What was typed before the question is no answer to it.
 * @throws the reason of the signal: Interrupted.
 */
export async function ask(question: string, signal: AbortSignal): Promise<Answer> {
  if (!stdin.isTTY) return undefined;
  await forgetTyped();
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    const text = await Promise.race([
      lines.question(visible(question), { signal }),
      once(lines, 'close').then(() => undefined),
    ]);
    if (typeof text === 'string') return { text };
    stderr.write('\n'); // nobody has pressed Enter
    return 'end';
  } catch (error) {
    stderr.write('\n');
    throw error;
  } finally {
    lines.close();
  }
}

/** So long the terminal has to hand over what was typed before. */
const typedMs = 50;

/** Reads away what was typed ahead: whole lines, and what nobody has ended with Enter yet. */
async function forgetTyped(): Promise<void> {
  const typed: Buffer[] = [];
  const forget = (keys: Buffer) => void typed.push(keys);
  stdin.setRawMode(true);
  stdin.on('data', forget);
  await sleep(typedMs);
  stdin.off('data', forget);
  stdin.pause();
  stdin.setRawMode(false);
  // Ctrl-C, which the terminal does not make a signal in this mode.
  if (Buffer.concat(typed).includes(3)) process.kill(process.pid, 'SIGINT');
}
