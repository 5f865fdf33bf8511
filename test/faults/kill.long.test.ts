import { describe, expect, test } from 'vitest';
import { fakePgDump } from '../support/fake-tool.ts';
import { childrenOf, isRunning, killGroup, launch, untilDumping } from '../support/launch.ts';
import { expectRecovery, prepared } from '../support/aged-backups.ts';
import { databasesLike, dropLike, sql } from '../support/server.ts';
import { expectSound, expectTidy } from '../support/invariants.ts';

describe('kill -9 by pg_dump itself', () => {
  test.each([
    ['as soon as it runs', 'kill -9 $PPID; sleep 1; echo too late'],
    [
      'in the middle of the dump',
      "printf -- '--\\n-- PostgreSQL database dump\\n'; kill -9 $PPID; sleep 600",
    ],
  ])('%s', async (_, script) => {
    const made = await prepared();
    const env = { ...made.env, PG_BIN_DIR: await fakePgDump(script) };
    expect((await launch(['backup'], env)).signal).toBe('SIGKILL');
    await expectRecovery(made);
  });
});

test('kill -9 while pg_dump waits for a lock ends pg_dump too', async () => {
  const made = await prepared();
  const locker = sql(
    made.database,
    "SET application_name = 'locker'; BEGIN; LOCK TABLE t; SELECT pg_sleep(600);",
  ).catch(() => undefined);
  const waiting = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${made.database}' AND application_name LIKE 'pratiko-backup%' AND wait_event_type = 'Lock';`;
  const running = launch(['backup'], made.env);
  await expect.poll(() => sql('postgres', waiting)).toBe('1');
  const [pgDump = 0] = await childrenOf(running.pid, '--lock-wait-timeout');
  running.kill('SIGKILL');
  await running;
  await expect.poll(() => isRunning(pgDump)).toBe(false);
  await sql(
    'postgres',
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${made.database}' AND query LIKE '%pg_sleep%';`,
  );
  await locker;
  await expectRecovery(made);
});

describe('kill -9 at random instants', () => {
  test('6 times, of a run that takes its time', async () => {
    const made = await prepared(60_000);
    for (let round = 0; round < 6; round += 1) {
      const running = launch(['backup'], made.env);
      const timer = setTimeout(() => killGroup(running), Math.random() * 1500);
      await running;
      clearTimeout(timer);
      await expectSound(made.directory, made.young);
    }
    await expectRecovery(made);
  });

  test('and of a restore, which leaves the live database as it was', async () => {
    const made = await prepared(60_000);
    const live = `live_${made.database}`;
    await sql('postgres', `CREATE DATABASE ${live} TEMPLATE ${made.database};`);
    await sql(live, 'DELETE FROM t WHERE n = 1;');
    for (let round = 0; round < 6; round += 1) {
      const running = launch(['restore', '--yes', '--to', live], made.env);
      const timer = setTimeout(() => killGroup(running), 300 + Math.random() * 500);
      await running;
      clearTimeout(timer);
    }
    const count = await sql(live, 'SELECT count(*) FROM t;');
    expect(['59999', '60000']).toContain(count);
    // The next one tidies up after all of them.
    const next = await made.run(['restore', '--yes', '--to', live, '--drop-old']);
    expect(next.stderr).toContain(`restored "${live}"`);
    const left = await databasesLike(live);
    expect(left.filter((name) => name.includes('_restore_'))).toEqual([]);
    await dropLike(live);
  });
});

test('a killed run is no reason for the next one to wait', async () => {
  const made = await prepared();
  const env = { ...made.env, PG_BIN_DIR: await fakePgDump('exec sleep 600') };
  const running = launch(['backup'], env);
  await untilDumping(made.directory, 0);
  running.kill('SIGKILL');
  await running;
  const { stderr } = await made.run(['backup']);
  expect(stderr).toMatch(
    /removed \.pratiko_backup_\S+\.partial, left by a run that was interrupted/,
  );
  await expectTidy(made.directory);
});
