import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { exitCodeMeanings } from '../../src/cli/exit-codes.ts';
import { exitCodes } from '../../src/base/errors.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { settings } from '../../src/config/settings.ts';
import { createProgram } from '../../src/program.ts';
import { isAvailable } from '../support/available.ts';
import { runTool } from '../support/cli.ts';

const hasMan = isAvailable('man', ['--version'], 'the manual page is not shown: no man');
const program = createProgram({ cores: 2 } as Terminal, '1.2.3');
const names = new Map(
  program
    .createHelp()
    .visibleCommands(program)
    .map((command) => [command.name(), command]),
);
const shown = async (args: readonly string[]) => {
  const ending = await runTool(args, {});
  expect(ending).toExitWith(0);
  return ending.stdout;
};
const widerThan80 = (text: string) => text.split('\n').filter((line) => line.length > 80);

test.for(['', ...names.keys()])('%s --help fits one screen of 24 lines', async (name) => {
  const text = await shown(name === '' ? ['--help'] : [name, '--help']);
  expect(text).toContain(`Usage: pratiko-backup ${name}`);
  expect(widerThan80(text)).toEqual([]);
  // The last line of the screen is that of the prompt.
  expect(text.trimEnd().split('\n').length).toBeLessThan(24);
  for (const { long, hidden } of names.get(name)?.options ?? program.options) {
    if (!hidden) expect(text).toContain(long);
  }
  expect(text).toContain('exit codes');
  if (!['', 'help'].includes(name)) expect(text).toMatch(/^Examples:\n {2}\S/m);
});

test.for([...names.keys()].filter((name) => name !== 'help'))(
  'help %s has everything',
  async (name) => {
    const text = await shown(['help', name]);
    expect(widerThan80(text.replace(/^Examples:\n( .*\n)*/m, ''))).toEqual([]);
    expect(text).toMatch(/^Examples:\n {2}\S[^]*^Exit codes:\n {2}0 {3}/m);
    for (const { flags } of names.get(name)?.options ?? []) expect(text).toContain(flags);
  },
);

test.for([
  [['bakcup'], "unknown command 'bakcup'", 'did you mean backup?'],
  [['backup', '--lable', 'x'], "unknown option '--lable'", 'did you mean --label?'],
  [['list', '--jsno'], "unknown option '--jsno'", 'did you mean --json?'],
  [['help', 'lst'], "unknown command 'lst'", 'did you mean list?'],
] as const)('%s: the nearest is suggested', async ([args, message, hint]) => {
  const { exitCode, stderr } = await runTool(args, {});
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
  expect(exitCode).toBe(2);
});

test("the README's table of exit codes is that of the program", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| (\d+(?:, \d+)*) +\| (.+?) +\|$/gm)];
  expect(rows.map(([, code, meaning]) => [code, meaning])).toEqual(exitCodeMeanings);
  const codes = exitCodeMeanings.map(([code]) => code);
  for (const code of Object.values(exitCodes)) expect(codes).toContain(String(code));
});

test.runIf(hasMan)('the manual page has every command, option, setting and exit code', async () => {
  const page = await shown(['help', '--man']);
  const { stdout, stderr } = await execa('man', ['--warnings', '-l', '-'], {
    input: page,
    env: { MANWIDTH: '300', LC_ALL: 'C' },
  });
  expect(stderr).toBe('');
  const words = stdout.replaceAll(/\s+/g, ' ');
  for (const [name, command] of names) {
    expect(words).toContain(`${name} `);
    for (const { flags } of command.options) expect(words).toContain(flags);
  }
  for (const { variables } of Object.values(settings)) expect(words).toContain(variables.at(-1));
  for (const [code] of exitCodeMeanings) expect(words).toContain(` ${code} `);
});
