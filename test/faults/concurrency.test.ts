import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fakePgDump } from '../support/fake-tool.ts';
import { killGroup, launch, untilDumping } from '../support/launch.ts';
import { prepared, withOneBackup } from '../support/aged-backups.ts';
import { sql } from '../support/server.ts';
import { expectSound, expectTidy } from '../support/invariants.ts';

const sqlText = 'CREATE TABLE t AS SELECT generate_series(1, 100) AS a;';

/** A backup that goes on until it is told to end. */
async function busy(env: Readonly<Record<string, string>>, directory: string) {
  const running = launch(['backup'], { ...env, PG_BIN_DIR: await fakePgDump('exec sleep 600') });
  onTestFinished(() => {
    if (running.exitCode === null && running.signalCode === null) killGroup(running);
  });
  await untilDumping(directory, 0);
  return { running };
}

describe('beside a backup', () => {
  test.each([[['backup']], [['prune']], [['restore', '--yes']]])(
    '%s exits 11 at once',
    async (args) => {
      const { env, directory, run, database } = await withOneBackup(sqlText);
      const { running } = await busy(env, directory);
      const { exitCode, stderr } = await run(args);
      expect(stderr).toContain(`another run holds the lock: backup, process ${running.pid} on `);
      expect(exitCode).toBe(11);
      expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('100');
    },
  );

  test('list, verify and prune --dry-run need no lock', async () => {
    const { env, directory, run } = await withOneBackup(sqlText);
    await busy(env, directory);
    for (const args of [['list'], ['verify', '--all'], ['prune', '--dry-run']]) {
      expect(await run(args)).toExitWith(0);
    }
  });

  test('--wait waits until it is done, or until its time is up', async () => {
    const { env, directory, run } = await withOneBackup(sqlText);
    const { running } = await busy(env, directory);
    expect(await run(['backup', '--wait', '1'])).toExitWith(11);
    const waiting = run(['backup', '--wait', '60']);
    running.kill('SIGTERM');
    expect(await waiting).toExitWith(0);
    await expectTidy(directory);
  });
});

test('many at once with --wait: every one makes its backup', async () => {
  const { directory, run } = await withOneBackup(sqlText);
  const results = await Promise.all(
    Array.from({ length: 4 }, () => run(['backup', '--wait', '60'])),
  );
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
  expect((await readdir(directory)).filter((name) => /\d\.sql\.gz$/.test(name))).toHaveLength(5);
  await expectSound(directory);
});

const namespaces = (() => {
  try {
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(
      '\n*** no process namespaces here: locks of containers are only unit-tested ***\n',
    );
    return false;
  }
})();

describe.runIf(namespaces)('in a container with other process ids', () => {
  const container = ['unshare', '--pid', '--fork', '--mount-proc'];

  test('a lock that is held outside holds inside', async () => {
    const { env, directory } = await withOneBackup(sqlText);
    await busy(env, directory);
    const { exitCode, stderr } = await launch(['backup'], env, container);
    expect(stderr).toContain('another run holds the lock');
    expect(exitCode).toBe(11);
  });

  test('one that died inside is taken over outside when its heartbeat has stopped', async () => {
    const { env, directory, run, young } = await prepared();
    const dying = launch(
      ['backup'],
      { ...env, PG_BIN_DIR: await fakePgDump('exec sleep 600') },
      container,
    );
    await untilDumping(directory, 0);
    killGroup(dying);
    await dying;
    expect(await run(['backup'])).toExitWith(11);
    execFileSync('touch', ['-d', '5 minutes ago', join(directory, '.pratiko_backup.lock')]);
    expect(await run(['backup'])).toExitWith(0);
    await expectSound(directory, young);
    await expectTidy(directory);
  });
});
