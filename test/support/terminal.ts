import { execa } from 'execa';
import { bin } from './cli.ts';

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/**
 * Runs the tool at a terminal of its own (script(1)) and types an answer at each question.
 * @param answers with Enter, or a control character; the last one is given again.
 * @param ahead typed before anything is asked.
 * @param meanwhile what happens while a question waits for its answer.
 */
export async function askAtTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answers: string | readonly string[],
  ahead = '',
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<{ exitCode: number | undefined; screen: string }> {
  const words = [process.execPath, bin, '--env-file', '/dev/null', ...args];
  const script =
    process.platform === 'darwin'
      ? ['-q', '/dev/null', ...words]
      : ['-qec', words.map(quote).join(' '), '/dev/null'];
  const terminal = execa('script', script, {
    env: { ...env, TERM: 'xterm' },
    extendEnv: false,
    stdin: 'pipe',
    reject: false,
    all: true,
  });
  const left = [answers].flat();
  if (ahead !== '') terminal.stdin.write(ahead);
  terminal.all.on('data', (chunk: Buffer) => {
    if (!chunk.toString().includes('go on:')) return;
    const answer = (left.length > 1 ? left.shift() : left[0]) ?? '';
    void meanwhile().then(() => terminal.stdin.write(answer < ' ' ? answer : `${answer}\n`));
  });
  const { exitCode, all } = await terminal;
  return { exitCode, screen: all };
}
