import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withOneBackup } from '../support/aged-backups.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { askAtTerminal } from '../support/terminal.ts';
import { hasStrace, inject } from '../support/strace.ts';
import { launch } from '../support/launch.ts';

const latest = 'pratiko_backup_latest.sql.gz';
const content = 'CREATE TABLE t AS SELECT generate_series(1, 100) AS a;';

/** One backup under a name of November 2026, made at this moment. */
async function oneAt(stamp: string, createdAt: string) {
  const tool = await withOneBackup(content);
  const from = tool.directory;
  const { stdout } = await tool.run(['list', '--json']);
  const [{ name } = { name: '' }] = (JSON.parse(stdout) as { backups: { name: string }[] }).backups;
  const put = async (as: string, at: string) => {
    const manifest = name.replace('.sql.gz', '.manifest.json');
    const text = JSON.parse(await readFile(join(from, manifest), 'utf8')) as object;
    await writeFile(join(from, `pratiko_backup_${as}.sql.gz`), await readFile(join(from, name)));
    await writeFile(
      join(from, `pratiko_backup_${as}.manifest.json`),
      JSON.stringify({ ...text, createdAt: at }),
    );
  };
  await put(stamp, createdAt);
  const remove = async () => {
    await rm(join(from, name));
    await rm(join(from, name.replace('.sql.gz', '.manifest.json')));
    await rm(join(from, latest));
  };
  return { ...tool, put, remove };
}

test.each([
  '2026-11-20 07:38:41',
  '2026-11-20T07:38',
  '20261120_07',
  '20261120',
  '2026-11-20',
  'pratiko_backup_20261120_073841',
  'pratiko_backup_20261120_073841.sql.gz',
  '20261120_07384',
  '2026-11-20 07:3',
])('%s finds the backup of that time', async (argument) => {
  const { run } = await oneAt('20261120_073841', '2026-11-20T07:38:41Z');
  const { stdout, exitCode } = await run(['verify', argument]);
  expect(stdout).toContain('pratiko_backup_20261120_073841.sql.gz  good');
  expect(exitCode).toBe(0);
});

test('a time that `list` has printed needs no quotes; what is no beginning finds nothing', async () => {
  const { run } = await oneAt('20261120_073841', '2026-11-20T07:38:41Z');
  expect((await run(['verify', '2026-11-20', '07:38:41'])).stdout).toContain('073841.sql.gz  good');
  expect(await run(['verify', '2026-1-20'])).toExitWith(10);
  expect(await run(['verify', '2026-11-20', '07:38:41', 'x'])).toExitWith(2);
});

test('a directory is told from a backup that is not there', async () => {
  const { run } = await withOneBackup(content);
  const other = await temporaryDirectory();
  const { stderr, exitCode } = await run(['restore', other, '--yes']);
  expect(stderr).toContain(`${other} is a directory; hint: give the path of a file in it; or`);
  expect(exitCode).toBe(10);
});

test('a link that is missing is told from one that leads nowhere', async () => {
  const { run, directory } = await withOneBackup(content);
  await rm(join(directory, latest));
  expect((await run(['verify'])).stderr).toContain(`there is no ${latest} here; taking the newest`);
  await symlink('nowhere', join(directory, latest));
  expect((await run(['verify'])).stderr).toContain(`${latest} leads to no backup here`);
});

test('a beginning that several have says which they are', async () => {
  const { run, put } = await oneAt('20261120_073841', '2026-11-20T07:38:41Z');
  await put('20261120_083841', '2026-11-20T08:38:41Z');
  const { stderr, exitCode } = await run(['verify', '2026-11-20']);
  expect(stderr).toContain(
    '2 backups begin with 2026-11-20; hint: give more of the timestamp: 20261120_073841, 20261120_083841',
  );
  expect(exitCode).toBe(10);
});

test('in the hour that comes twice the manifest knows which backup is newer', async () => {
  const { run, put, remove } = await oneAt('20261025_025000', '2026-10-25T00:50:00Z');
  await put('20261025_021000', '2026-10-25T01:10:00Z');
  await remove();
  const { stdout } = await run(['list']);
  expect(stdout.split('\n')[1]).toMatch(/20261025_021000.* {2}<- latest$/);
  expect((await run(['verify'])).stdout).toContain('pratiko_backup_20261025_021000.sql.gz  good');
});

test('what is named almost like a backup is mentioned', async () => {
  const { run, directory } = await withOneBackup(content);
  await writeFile(join(directory, 'pratiko_backup_20261120_073841 (1).sql.gz'), 'x');
  expect((await run(['list'])).stderr).toContain(
    'pratiko_backup_20261120_073841 (1).sql.gz is not counted: its name is not exactly a backup',
  );
});

test('a bad one: the hint is the whole command for the newest good one', async () => {
  const { run, directory, put } = await oneAt('20261120_073841', '2026-11-20T07:38:41Z');
  await put('20361120_073841', '2036-11-20T07:38:41Z');
  await writeFile(join(directory, 'pratiko_backup_20361120_073841.sql.gz'), 'damaged');
  const { stdout } = await run(['list', '--json']);
  const good = (JSON.parse(stdout) as { backups: { name: string }[] }).backups
    .at(-2)
    ?.name.slice(15, 30);
  const place = `--config /dev/null --backup-dir ${directory}`;
  const expected: [command: string[], hint: string][] = [
    [['verify', '20361120_073841'], `verify ${good ?? ''} ${place}`],
    // Without its target, it would be restored over the live database.
    [
      ['restore', '20361120_073841', '--to', 'else where'],
      `restore ${good ?? ''} ${place} --host HOST --port PORT --username USER --to 'else where'`,
    ],
  ];
  for (const [command, hint] of expected) {
    const { stderr, exitCode } = await run(command);
    const shown = stderr
      .replace(/--host \S+/, '--host HOST')
      .replace(/--port \d+/, '--port PORT')
      .replace(/--username \S+/, '--username USER');
    expect(shown).toContain(`\`pratiko-backup ${hint}\``);
    expect(exitCode).toBe(21);
  }
});

describe.skipIf(!hasStrace)('a file system without symbolic links', () => {
  test.each(['EPERM', 'EOPNOTSUPP'])('%s: a warning, and retention runs', async (code) => {
    const { directory, env, run } = await withOneBackup(content);
    await rename(join(directory, latest), join(directory, 'link'));
    await rm(join(directory, 'link'));
    const before = inject('symlink,symlinkat', `error=${code}`, 1);
    const { exitCode, stderr } = await launch(['backup'], env, before);
    expect(stderr).toContain(`WARN: the file system of ${directory} has no symbolic links`);
    expect(exitCode).toBe(0);
    expect((await run(['restore', '--dry-run'])).exitCode).toBe(0);
  });
});

describe('the question before a restore', () => {
  test('what was typed before it does not answer it', async () => {
    const { env, database } = await withOneBackup(content);
    const { exitCode, screen } = await askAtTerminal(
      ['restore'],
      env,
      '\u0003',
      `${database}\n${database}`,
    );
    expect(screen).toContain('nothing was changed');
    expect(exitCode).toBe(130);
  });

  test('also with --quiet a person sees what is asked for', async () => {
    const { env } = await withOneBackup(content);
    const { screen } = await askAtTerminal(['restore', '--quiet'], env, '\u0003');
    expect(screen).toContain('the present one is kept as');
  });

  test('three wrong answers end it', async () => {
    const { env } = await withOneBackup(content);
    const { exitCode, screen } = await askAtTerminal(['restore'], env, 'yes');
    expect(screen.split('go on:')).toHaveLength(4);
    expect(exitCode).toBe(2);
  });
});
