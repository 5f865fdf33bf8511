import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase, dropDatabase } from '../../src/postgres/databases.ts';
import { execute } from '../../src/postgres/psql.ts';
import { handMade } from '../support/backed-up.ts';
import { runTool } from '../support/cli.ts';
import { childrenOf, isRunning, launch, untilDumping } from '../support/launch.ts';
import { environmentFor, startOwnServer } from '../support/own-server.ts';
import { startWebhook } from '../support/slack.ts';
import { filesIn } from '../support/invariants.ts';

/** A server of its own, a database that takes a while to dump, and one good backup. */
async function prepared(settings: Readonly<Record<string, string>> = {}) {
  const own = await startOwnServer(settings);
  onTestFinished(() => own[Symbol.asyncDispose]());
  const { server } = own;
  await createDatabase(server, 'busy', undefined);
  const env = await environmentFor(own, { POSTGRES_DB: 'busy' });
  expect(await runTool(['backup'], { env })).toExitWith(0);
  await execute(
    server,
    'busy',
    `CREATE TABLE t AS SELECT n, md5(n::text) AS text FROM generate_series(1, 400000) AS n;`,
  );
  const postmaster = Number(
    await execute(
      server,
      'postgres',
      `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1);`,
    ),
  );
  return { server, directory: env.BACKUP_DIR, env, postmaster };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** Stops pg_dump in the middle of the dump, lets something happen, and lets it go on. */
async function duringDump(
  { directory, env }: Prepared,
  happen: (pgDump: number) => Promise<unknown>,
) {
  const before = (await filesIn(directory)).sort();
  const target = await readlink(join(directory, 'pratiko_backup_latest.sql.gz'));
  const { url, messages } = await startWebhook();
  const running = launch(['backup'], { ...env, SLACK_WEBHOOK_URL: url });
  await untilDumping(directory, 1000);
  running.kill('SIGSTOP'); // nobody reads the dump: it cannot end while we look for pg_dump
  const [pgDump = 0] = await childrenOf(running.pid, '--lock-wait-timeout');
  expect(pgDump).toBeGreaterThan(1);
  process.kill(pgDump, 'SIGSTOP');
  running.kill('SIGCONT');
  await happen(pgDump);
  if (await isRunning(pgDump)) process.kill(pgDump, 'SIGCONT');
  const result = await running;
  expect((await filesIn(directory)).sort()).toEqual(before);
  expect(await readlink(join(directory, 'pratiko_backup_latest.sql.gz'))).toBe(target);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toContain('FAILED');
  return result;
}

test('pg_dump is killed: no file, exit 20, and how it ended is told', async () => {
  const made = await prepared();
  const result = await duringDump(made, (pgDump) =>
    Promise.resolve(process.kill(pgDump, 'SIGKILL')),
  );
  expect(result.stderr).toContain('pg_dump failed (SIGKILL)');
  expect(result.exitCode).toBe(20);
});

test('its backend is terminated: no file, exit 20, with what the server said', async () => {
  const made = await prepared();
  const result = await duringDump(made, () =>
    execute(
      made.server,
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'busy';`,
    ),
  );
  expect(result.stderr).toMatch(/pg_dump failed \(exit code 1\): .*table "t" failed/);
  expect(result.exitCode).toBe(20);
});

test('its backend crashes and the server restarts: no file, exit 20, and the next backup is good', async () => {
  const made = await prepared();
  const result = await duringDump(made, async () => {
    const backend = `SELECT pid FROM pg_stat_activity WHERE datname = 'busy';`;
    const pid = Number(await execute(made.server, 'postgres', backend));
    expect(pid).toBeGreaterThan(1);
    process.kill(pid, 'SIGKILL');
  });
  expect(result.stderr).toMatch(/pg_dump failed \(exit code 1\): /);
  expect(result.exitCode).toBe(20);
  await expect
    .poll(() => execute(made.server, 'postgres', 'SELECT 1;').catch(() => ''))
    .toBe('1\n');
  expect(await runTool(['backup'], { env: made.env })).toExitWith(0);
});

test.each([
  ['fast', 'SIGINT'],
  ['immediate', 'SIGQUIT'],
] as const)('the server is stopped (%s): no file, exit 20, then exit 13', async (_, signal) => {
  const made = await prepared();
  const result = await duringDump(made, async () => {
    process.kill(made.postmaster, signal);
    await expect
      .poll(() => execute(made.server, 'postgres', 'SELECT 1;').catch(() => 'down'))
      .toBe('down');
  });
  expect(result.stderr).toMatch(/pg_dump failed \(exit code 1\): /);
  expect(result.exitCode).toBe(20);

  const later = await runTool(['backup'], { env: made.env });
  expect(later.stderr).toContain('connection refused');
  expect(later.exitCode).toBe(13);
});

test('the server crashes and restarts while a restore loads: the next one tidies up and succeeds', async () => {
  const made = await prepared();
  const path = await handMade(made.directory, 'SELECT pg_sleep(600);\n');
  const running = launch(['restore', path, '--yes'], made.env);
  const loading = `SELECT pid FROM pg_stat_activity WHERE datname LIKE 'busy_restore_%' AND query LIKE '%pg_sleep%';`;
  const ask = (database: string, question: string) =>
    execute(made.server, database, question).then(
      (answer) => answer.trim(),
      () => 'down',
    );
  await expect.poll(() => ask('postgres', loading)).toMatch(/^\d+$/);
  process.kill(Number(await ask('postgres', loading)), 'SIGKILL');

  const { exitCode, stderr } = await running;
  expect(stderr).toContain('restore');
  expect(exitCode).toBe(22);
  await expect.poll(() => ask('busy', 'SELECT count(*) FROM t;')).toBe('400000');
  const next = await runTool(['restore', '--yes', '--drop-old'], { env: made.env });
  expect(next).toExitWith(0);
  const names = `SELECT count(*) FROM pg_database WHERE datname LIKE 'busy%';`;
  expect(await ask('postgres', names)).toBe('1');
});

/** A restore whose swap waits until `holder` ends its transaction. */
async function whileTheSwapWaits() {
  const { server, env } = await prepared();
  const connect = async () => {
    const client = new Client({ ...server.connection, database: 'postgres' });
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };
  // Connected before pg_database is locked: nobody can connect then.
  const [holder, other, watcher] = [await connect(), await connect(), await connect()];
  const count = async (from: string) => (await watcher.query(`SELECT FROM ${from}`)).rowCount;
  await holder.query('BEGIN; ALTER DATABASE busy CONNECTION LIMIT 77');
  const running = launch(['restore', '--yes'], env);
  const renaming = `wait_event_type = 'Lock' AND query LIKE '%"busy" RENAME%'`;
  await expect.poll(() => count(`pg_stat_activity WHERE ${renaming}`)).toBe(1);
  return { running, holder, other, count };
}

test('a restore of another database that swaps at the same instant does not stop a restore', async () => {
  const { running, holder, other, count } = await whileTheSwapWaits();
  await other.query('BEGIN; LOCK TABLE pg_database IN ROW EXCLUSIVE MODE');
  const swapped = other.query('LOCK TABLE pg_database IN ACCESS EXCLUSIVE MODE; COMMIT');
  const waiting = `NOT granted AND relation = 'pg_database'::regclass AND mode = 'AccessExclusiveLock'`;
  await expect.poll(() => count(`pg_locks WHERE ${waiting}`)).toBe(1);
  await holder.query('ROLLBACK');

  expect(await running).toExitWith(0);
  await swapped;
});

test('nor does a standby that is away keep the swap, and with it everybody, waiting', async () => {
  const { running, holder, other, count } = await whileTheSwapWaits();
  await other.query(`ALTER SYSTEM SET synchronous_standby_names = 'away'`);
  await other.query('SELECT pg_reload_conf()');
  const isSet = `pg_settings WHERE name = 'synchronous_standby_names' AND setting = 'away'`;
  await expect.poll(() => count(isSet)).toBe(1);
  await holder.query('ROLLBACK');

  expect(await running).toExitWith(0);
});

test('a user who is no superuser drops a database in which autovacuum is at work', async () => {
  const { server } = await prepared({ autovacuum_naptime: '1s' });
  await execute(server, 'postgres', `CREATE ROLE app LOGIN CREATEDB PASSWORD 'p';`);
  await execute(server, 'postgres', 'ALTER DATABASE busy OWNER TO app;');
  const slowly = 'autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1';
  await execute(
    server,
    'busy',
    `CREATE TABLE slow WITH (${slowly}) AS SELECT generate_series(1, 200000);`,
  );
  const workers = `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'busy' AND query LIKE 'autovacuum: VACUUM%slow%';`;
  await expect.poll(() => execute(server, 'postgres', workers)).toBe('t\n');
  const connection = { ...server.connection, user: 'app', password: 'p' };

  await dropDatabase({ ...server, connection }, 'busy');

  const there = `SELECT count(*) FROM pg_database WHERE datname = 'busy';`;
  expect(await execute(server, 'postgres', there)).toBe('0\n');
});
