import { execa } from 'execa';
import { bin } from './cli.ts';

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the tool at a terminal of its own (script(1)) and types an answer and Enter. */
export async function askAtTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answer: string,
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
  let asked = false;
  terminal.all.on('data', (chunk: Buffer) => {
    if (asked || !chunk.toString().includes('go on:')) return;
    asked = true;
    terminal.stdin.write(`${answer}\n`);
  });
  const { exitCode, all } = await terminal;
  return { exitCode, screen: all };
}
