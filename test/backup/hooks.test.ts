import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { isRunning, launch } from '../support/launch.ts';

/** A script with its own directory. */
async function script(text: string) {
  const directory = await temporaryDirectory();
  const path = join(directory, 'a script.sh');
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return { directory, command: `'${path}'` };
}

const backups = async (directory: string) =>
  (await readdir(directory)).filter((name) => /\d\.sql\.gz$/.test(name));

describe('BEFORE_BACKUP', () => {
  test('runs before the dump, with its words as they are and no secret of ours', async () => {
    const { run, database } = await backedUp();
    const { directory, command } = await script('printf "%s|" "$@" > "$0.words"; env > "$0.env"');
    const env = {
      BEFORE_BACKUP: `${command} 'two words' "$HOME;" \\*`,
      SLACK_WEBHOOK_URL: 'http://127.0.0.1:1/topsecret',
      PGPASSWORD: 'topsecret',
      AWS_SECRET_ACCESS_KEY: 'topsecret',
    };
    const backup = await run(['backup'], { env });
    expect(backup).toExitWith(0);
    expect(backup.stderr).toContain('BEFORE_BACKUP ran');
    expect(await readFile(join(directory, 'a script.sh.words'), 'utf8')).toBe(
      'two words|$HOME;|*|',
    );
    const given = await readFile(join(directory, 'a script.sh.env'), 'utf8');
    expect(given).toContain(`PRATIKO_DATABASE=${database}\n`);
    expect(given).not.toMatch(/topsecret|PASSWORD|POSTGRES_/);
  });

  test.each([
    [
      'fails',
      'echo the queue is not empty; exit 4',
      /failed \(exit code 4\): the queue is not empty/,
    ],
    ['is killed', 'kill -9 $$', /failed \(SIGKILL\)/],
  ])('where it %s, there is no backup', async (_, text, message) => {
    const { run, directory } = await backedUp();
    const before = await backups(directory);
    const { command } = await script(text);
    const backup = await run(['backup'], { env: { BEFORE_BACKUP: command } });
    expect(backup).toExitWith(20);
    expect(backup.stderr).toMatch(message);
    expect(backup.stderr).toContain('hint: no backup was made');
    expect(await backups(directory)).toEqual(before);
  });

  test('where it is not there, or is no command, that is told', async () => {
    const { run } = await backedUp();
    const missing = await run(['backup'], { env: { BEFORE_BACKUP: 'not_there at all' } });
    expect(missing).toExitWith(20);
    expect(missing.stderr).toContain('BEFORE_BACKUP: no such command: not_there');
    const inside = await run(['backup'], { env: { BEFORE_BACKUP: "sh -c 'not_there'" } });
    expect(inside.stderr).toMatch(/failed \(exit code 127\): .*not_there: not found/);
    const shell = await run(['backup'], { env: { BEFORE_BACKUP: 'a && b' } });
    expect(shell).toExitWith(2);
    expect(shell.stderr).toContain('there is no shell');
  });

  test.each(['SIGINT', 'BACKUP_TIMEOUT'])(
    'is ended by %s, with what it has started',
    async (how) => {
      const { env } = await backedUp();
      const { directory, command } = await script('sleep 300 & echo $! > "$0.pid"; wait');
      const running = launch(['backup'], {
        ...env,
        BEFORE_BACKUP: command,
        ...(how === 'BACKUP_TIMEOUT' && { BACKUP_TIMEOUT: '2' }),
      });
      onTestFinished(() => void running.kill('SIGKILL'));
      const pid = () => readFile(join(directory, 'a script.sh.pid'), 'utf8').catch(() => '');
      await expect.poll(pid).toMatch(/^\d+\n$/);
      if (how === 'SIGINT') running.kill('SIGINT');
      expect((await running).exitCode).toBe(how === 'SIGINT' ? 130 : 20);
      expect(await isRunning(Number(await pid()))).toBe(false);
    },
  );
});

test('what a command leaves at work does not hold up the backup', async () => {
  const { run } = await backedUp();
  const { directory, command } = await script('sleep 300 & echo $! > "$0.pid"; echo begun');
  const pid = async () => Number(await readFile(join(directory, 'a script.sh.pid'), 'utf8'));
  onTestFinished(async () => void process.kill(await pid()));
  const made = await run(['backup', '--verbose'], { env: { BEFORE_BACKUP: command } });
  expect(made.stderr).toContain('BEFORE_BACKUP said: begun');
  expect(made).toExitWith(0);
  expect(await isRunning(await pid())).toBe(true);
});

test('what a command leaves behind does not hold up who ends it, and much output is no trouble', async () => {
  const { run } = await backedUp();
  const { directory, command } = await script('setsid sleep 60 & echo $! > "$0.pid"; sleep 60');
  const held = await run(['backup'], { env: { BEFORE_BACKUP: command, BACKUP_TIMEOUT: '2' } });
  expect(held).toExitWith(20);
  expect(held.stderr).toContain('(BACKUP_TIMEOUT)');
  // It is at work still, and holds the output.
  const pid = Number(await readFile(join(directory, 'a script.sh.pid'), 'utf8'));
  expect(await isRunning(pid)).toBe(true);
  process.kill(pid);
  const loud = await run(['backup'], {
    env: { BEFORE_BACKUP: "sh -c 'head -c 600000000 /dev/zero; exit 1'" },
  });
  expect(loud).toExitWith(20);
});

describe('AFTER_BACKUP', () => {
  test('is told which backup was made', async () => {
    const { run, directory } = await backedUp();
    const { directory: there, command } = await script('cp "$PRATIKO_BACKUP" "${0%/*}/copy.gz"');
    expect(await run(['backup'], { env: { AFTER_BACKUP: command } })).toExitWith(0);
    const newest = (await backups(directory)).at(-1) ?? '';
    expect(await readFile(join(there, 'copy.gz'))).toEqual(await readFile(join(directory, newest)));
  });

  test('where it fails, the backup is safe, and that is told', async () => {
    const { run, directory } = await backedUp();
    const before = await backups(directory);
    const { command } = await script('echo no room there >&2; exit 1');
    const backup = await run(['backup'], { env: { AFTER_BACKUP: command } });
    expect(backup).toExitWith(3);
    expect(backup.stderr).toMatch(
      /the backup is safe, but .*AFTER_BACKUP failed \(exit code 1\): no room there/,
    );
    expect((await backups(directory)).length).toBe(before.length + 1);
    expect(await run(['verify'])).toExitWith(0);
  });
});
