import { execFileSync } from 'node:child_process';
import { chmod, mkdir, open, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runTool, temporaryDirectory } from '../support/cli.ts';
import { launch, untilDumping } from '../support/launch.ts';
import { prepared, withOneBackup } from '../support/aged-backups.ts';
import { startWebhook } from '../support/slack.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { expectSound, expectTidy, filesIn } from '../support/invariants.ts';
import { hasStrace, inject } from '../support/strace.ts';

const latest = 'pratiko_backup_latest.sql.gz';

describe.runIf(canMount)('on a disk that is full', () => {
  const sql = 'CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 20000) AS n;';

  test('during the dump: exit 14 with the room there is and is needed, and nothing is left or removed', async () => {
    const { env, directory: source } = await withOneBackup(sql);
    const directory = await smallDisk('size=700k');
    for (const name of await readdir(source)) {
      if (name !== latest)
        await writeFile(join(directory, name), await readFile(join(source, name)));
    }
    const before = (await filesIn(directory)).sort();
    const { url, messages } = await startWebhook();

    const result = await runTool(['backup'], {
      env: { ...env, BACKUP_DIR: directory, SLACK_WEBHOOK_URL: url },
    });

    expect(result.stderr).toMatch(
      /cannot write the backup to \S+ \([\d.]+ kB free, .*(needed|took [\d.]+ kB)\): no space left on the disk; hint: free some space/,
    );
    expect(result.exitCode).toBe(14);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain('no space left on the disk');
    expect((await filesIn(directory)).sort()).toEqual(before);
  });

  test('when the manifest is written', async () => {
    const { env } = await withOneBackup('CREATE TABLE t (a integer);');
    const directory = await smallDisk('size=8k'); // a page for the lock, one for the dump
    const result = await runTool(['backup'], { env: { ...env, BACKUP_DIR: directory } });
    expect(result.stderr).toMatch(/cannot publish pratiko_backup_\S+: no space left on the disk/);
    expect(result.exitCode).toBe(14);
    expect(await filesIn(directory)).toEqual([]);
  });

  test('when the link is made: the backup is safe and says so', async () => {
    const { env } = await withOneBackup('CREATE TABLE t (a integer);');
    const directory = await smallDisk('size=1m,nr_inodes=4'); // itself, lock, backup, manifest
    const result = await runTool(['backup'], { env: { ...env, BACKUP_DIR: directory } });
    expect(result.stderr).toMatch(
      /the backup is safe, but \S+latest\S+ does not lead to it: cannot point \S+latest\S+ to \S+: no space left on the disk/,
    );
    expect(result.exitCode).toBe(3);
    await expectSound(directory);
    await expectTidy(directory);
    const verified = await runTool(['verify'], { env: { ...env, BACKUP_DIR: directory } });
    expect(verified).toExitWith(0);
  });

  test('and read-only: exit 14 before the dump starts', async () => {
    const { env } = await withOneBackup(sql);
    const directory = await smallDisk('size=1m');
    execFileSync('mount', ['-o', 'remount,ro', directory]);
    const result = await runTool(['backup'], { env: { ...env, BACKUP_DIR: directory } });
    expect(result.stderr).toMatch(/the file system is read-only; hint: /);
    expect(result.stderr).not.toContain('backing up');
    expect(result.exitCode).toBe(14);
  });
});

describe.runIf(hasStrace)('a disk that fails', () => {
  test.each([
    ['fsync', 'error=EIO', 1, 'the dump is synced', 14],
    ['fsync', 'error=EIO', 2, 'the manifest is synced', 14],
    ['rename', 'error=EIO', 1, 'the manifest gets its name', 14],
    ['fsync', 'error=EIO', 3, 'the directory is synced', 14],
    ['rename', 'error=ENOSPC', 2, 'the backup gets its name', 14],
    ['rename', 'error=EACCES', 3, 'the link is replaced', 3],
  ])(
    '%s (%s) %d, when %s: exit %d, latest as it was, no half backup',
    async (call, effect, when, _, code) => {
      const { env, directory, young, run } = await prepared();
      const before = await readlink(join(directory, latest));
      const { exitCode, stderr } = await launch(['backup'], env, inject(call, effect, when));
      expect(stderr).toMatch(/ERROR: .*cannot (write|publish|point)/);
      expect(exitCode).toBe(code);
      expect(await readlink(join(directory, latest))).toBe(before);
      await expectSound(directory, young);
      expect(await run(['backup'])).toExitWith(0);
      await expectTidy(directory);
    },
  );

  test('it holds other bytes than were written: exit 21, and the file is removed', async () => {
    const { env, directory, young } = await prepared();
    const before = await readlink(join(directory, latest));
    const running = launch(['backup'], env, inject('fsync', 'delay_exit=3000000', 1));
    await untilDumping(directory, 30_000);
    const partial = (await filesIn(directory)).find((name) => name.endsWith('.partial')) ?? '';
    const file = await open(join(directory, partial), 'r+');
    await file.write(Buffer.from('flipped'), 0, 7, 200);
    await file.close();

    const { exitCode, stderr } = await running;

    expect(stderr).toContain('the new backup is not good and was removed: ');
    expect(exitCode).toBe(21);
    expect(await readlink(join(directory, latest))).toBe(before);
    await expectSound(directory, young);
    await expectTidy(directory);
  });

  test('unlink, when retention removes a backup: the backup is safe, exit 3', async () => {
    const { env, directory, young } = await prepared();
    const { url, messages } = await startWebhook();
    const { exitCode, stderr } = await launch(
      ['backup'],
      { ...env, SLACK_WEBHOOK_URL: url },
      inject('unlink', 'error=EACCES', 2),
    );
    expect(stderr).toContain('the backup is safe, but old backups could not be removed');
    expect(exitCode).toBe(3);
    expect(messages[0]).toContain('is safe, but a later step failed');
    await expectSound(directory, young);
  });
});

describe('a backup directory that cannot be used is refused before the dump starts', () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {};

  test.each([
    ['a file', async (path: string) => writeFile(path, ''), 'not a directory'],
    ['not writable', async (path: string) => mkdir(path, { mode: 0o555 }), 'permission denied'],
    [
      'behind a file',
      async (path: string) => writeFile(join(path, '..', 'x'), ''),
      'there is no backup directory',
    ],
    ['on a disk that is not mounted', () => Promise.resolve(), 'there is no backup directory'],
  ])('%s', async (_, make, message) => {
    const { env } = await withOneBackup('CREATE TABLE t (a integer);');
    const root = await temporaryDirectory();
    await chmod(root, 0o755);
    const directory = join(root, 'backups');
    await make(directory);
    const result = await runTool(['backup'], { env: { ...env, BACKUP_DIR: directory }, ...nobody });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain('hint: ');
    expect(result.stderr).not.toContain('backing up');
    expect(result.exitCode).toBe(14);
  });

  test.runIf(process.getuid?.() === 0)('not ours to read: every command says so', async () => {
    const { env, directory } = await withOneBackup('CREATE TABLE t (a integer);');
    await chmod(join(directory, '..'), 0o755);
    for (const args of [
      ['backup'],
      ['list'],
      ['verify'],
      ['verify', '--all'],
      ['prune'],
      ['restore', '-y'],
    ]) {
      const result = await runTool(args, { env, uid: 65534 });
      expect(result.stderr, args.join(' ')).toContain('permission denied');
      expect(result.exitCode, args.join(' ')).toBe(14);
    }
  });
});
