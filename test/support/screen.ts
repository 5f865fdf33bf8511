import xterm from '@xterm/headless';
import { execa } from 'execa';
import { bin } from './cli.ts';

export interface Shown {
  readonly exitCode: number | undefined;
  /** Lines of the screen at the end, without empty ones at its end; what wraps is one line. */
  readonly lines: readonly string[];
  /** The last line, whenever something was written. */
  readonly live: readonly string[];
  /** Everything that was written, control sequences too. */
  readonly written: string;
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs the tool at a terminal (script(1)) of so many columns, and looks at it as a person would. */
export async function atTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  columns: number,
): Promise<Shown> {
  const command = [process.execPath, bin, '--env-file', '/dev/null', ...args].map(quote).join(' ');
  const child = execa(
    'script',
    ['-qec', `stty cols ${columns} rows 200; ${command}`, '/dev/null'],
    { env: { TERM: 'xterm', ...env }, extendEnv: false, reject: false, all: true, buffer: false },
  );
  const screen = new xterm.Terminal({ cols: columns, rows: 200, allowProposedApi: true });
  const live: string[] = [];
  let written = '';
  for await (const chunk of child.all as AsyncIterable<Buffer>) {
    written += chunk.toString();
    await new Promise<void>((resolve) => screen.write(chunk, resolve));
    live.push(linesOf(screen).at(-1) ?? '');
  }
  const { exitCode } = await child;
  return { exitCode, lines: linesOf(screen), live, written };
}

function linesOf({ buffer: { active } }: xterm.Terminal): string[] {
  const lines: string[] = [];
  for (let at = 0; at < active.length; at += 1) {
    const line = active.getLine(at);
    const text = line?.translateToString(true) ?? '';
    if (line?.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`);
    else lines.push(text);
  }
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
}
