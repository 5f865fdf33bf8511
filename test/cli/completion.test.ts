import { join } from 'node:path';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { isAvailable } from '../support/available.ts';
import { backedUp } from '../support/backed-up.ts';
import { bin, runTool, temporaryDirectory } from '../support/cli.ts';

const hasFish = isAvailable('fish', ['--version'], 'completion in fish is not tested: no fish');
const hasZsh = isAvailable('zsh', ['--version'], 'completion in zsh is not tested: no zsh');

const stampOf = (name: string) => /\d{8}_\d{6}/.exec(name)?.[0] ?? '';

/** What is offered for the last word of a command line, and whether the shell completes files. */
async function offered(
  { env }: { readonly env: Readonly<Record<string, string>> },
  ...words: string[]
): Promise<{ words: string[]; files: boolean }> {
  const ending = await runTool(['complete', '--', ...words], { env });
  expect(ending).toExitWith(0);
  const lines = ending.stdout.split('\n').map((line) => line.split('\t')[0] ?? '');
  return { words: lines.slice(0, -1), files: lines.at(-1) === ':0' };
}

test('commands, options, backups and tables are completed, and paths are left to the shell', async () => {
  const made = await backedUp(
    'CREATE TABLE items (a integer); CREATE SCHEMA app; CREATE TABLE app.items (a integer); CREATE TABLE "strange name" (a integer);',
  );
  const backups = ['latest', stampOf(made.name)];
  const nothing = { words: [], files: true };
  expect((await offered(made, '')).words).toContain('restore');
  expect((await offered(made, '')).words).not.toContain('complete');
  expect((await offered(made, 'rest')).words).toEqual(['restore']);
  expect((await offered(made, 'restore', '')).words).toEqual(backups);
  expect((await offered(made, 'restore', 'pra')).words).toEqual([made.name]);
  expect((await offered(made, 'diff', 'latest', '2')).words).toEqual([stampOf(made.name)]);
  expect((await offered(made, 'prune', '--keep', '')).words).toEqual(backups);
  expect((await offered(made, 'restore', '--to', 'x', '--tab')).words).toEqual(['--table']);
  const tables = ['app.items', 'items'];
  expect((await offered(made, 'restore', '--table', '')).words.sort()).toEqual(tables);
  expect((await offered(made, 'extract', '--table', 'items', 'a')).words).toEqual(['app.items']);
  expect((await offered(made, 'backup', '--log-format', '')).words).toEqual(['pretty', 'json']);
  expect((await offered(made, 'help', 'sch')).words).toEqual(['schedule']);
  const elsewhere = await temporaryDirectory();
  expect((await offered(made, 'list', `--backup-dir=${elsewhere}`, '')).words).toEqual(['latest']);
  expect(await offered(made, '--config', '')).toEqual(nothing);
  expect(await offered(made, 'keygen', '--output', 'x')).toEqual(nothing);
  expect(await offered(made, 'restore', './pr')).toEqual(nothing);
  expect(await offered(made, 'restore', 'backups/pr')).toEqual(nothing);
});

test('where the settings are wrong or the directory is missing, the rest is completed', async () => {
  for (const env of [{ BACKUP_DIR: '/no/such/directory' }, { POSTGRES_PORT: 'x' }]) {
    expect((await offered({ env }, 'rest')).words).toEqual(['restore']);
    expect((await offered({ env }, 'restore', '')).words).toEqual(['latest']);
  }
});

/** A PATH on which the tool is called as people call it. */
async function withTool(env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const directory = await temporaryDirectory();
  await symlink(bin, join(directory, 'pratiko-backup'));
  return { ...env, PATH: `${directory}:${env.PATH ?? ''}` };
}

test('bash completes a name, and runs nothing of what is typed', async () => {
  const made = await backedUp();
  const { stdout: loaded } = await runTool(['completion', 'bash'], {});
  const typed = ['restore', '--to', '$(touch ran)', '2'];
  const script = `
${loaded}
${loaded}
complete -p pratiko-backup
COMP_WORDS=(pratiko-backup ${typed.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${typed.length}
_pratiko_backup pratiko-backup
echo "\${COMPREPLY[*]}"
COMP_WORDS=(pratiko-backup extract latest '>' important --ta) COMP_CWORD=5
_pratiko_backup pratiko-backup
echo "\${COMPREPLY[*]}"
COMP_WORDS=(pratiko-backup keygen --output x) COMP_CWORD=3
_pratiko_backup pratiko-backup
echo "\${#COMPREPLY[@]}"`;
  const cwd = await temporaryDirectory();
  await writeFile(join(cwd, 'important'), 'precious');
  const env = await withTool(made.env);
  const { stdout, stderr } = await execa('bash', ['--norc', '-c', script], {
    env,
    extendEnv: false,
    cwd,
  });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual([
    'complete -o default -F _pratiko_backup pratiko-backup',
    stampOf(made.name),
    '--table',
    '0',
  ]);
  expect(await readdir(cwd)).toEqual(['important']);
  expect(await readFile(join(cwd, 'important'), 'utf8')).toBe('precious');
});

test.runIf(hasFish)('fish loads the script, and completes a name', async () => {
  const made = await backedUp();
  const home = await temporaryDirectory();
  const completions = join(home, 'fish', 'completions');
  await mkdir(completions, { recursive: true });
  const { stdout: script } = await runTool(['completion', 'fish'], { env: made.env });
  await writeFile(join(completions, 'pratiko-backup.fish'), script);
  const env = { ...(await withTool(made.env)), XDG_CONFIG_HOME: home, HOME: home };
  const { stdout } = await execa('fish', ['-c', 'complete -C "pratiko-backup restore 2"'], {
    env,
    extendEnv: false,
  });
  expect(stdout.split('\t')[0]).toBe(stampOf(made.name));
});

test.runIf(hasZsh)('zsh loads the script, and completes a name', async () => {
  const made = await backedUp();
  const env = { ...(await withTool(made.env)), TERM: 'dumb', HOME: await temporaryDirectory() };
  // An interactive zsh of its own, to which a person types.
  const script = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='ready> '; autoload -Uz compinit; compinit -u; source <(pratiko-backup completion zsh); echo lo''aded"
zpty -r -m shell screen '*loaded*'
zpty -w -n shell $'pratiko-backup restore 2\\t'
zpty -r -m shell screen "*${stampOf(made.name)}*"
print -r -- $screen
zpty -d shell`;
  const { stdout } = await execa('zsh', ['-f', '-c', script], {
    env,
    extendEnv: false,
    timeout: 30_000,
  });
  expect(stdout).toContain(`restore ${stampOf(made.name)}`);
});

test('there is no script for another shell, and none as JSON', async () => {
  for (const args of [['completion', 'tcsh'], ['completion'], ['completion', 'bash', '--json']]) {
    expect(await runTool(args, {})).toExitWith(2);
  }
});
