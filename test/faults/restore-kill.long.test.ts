import { execFileSync } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp, handMade } from '../support/backed-up.ts';
import { childrenOf, isRunning, killEach, launch } from '../support/launch.ts';
import { databasesLike, dump, sql, temporaryDatabase } from '../support/server.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';

/** A live database with a row of its own, and a restore that stays in the middle of its load so long. */
async function inTheMiddle(seconds = 600) {
  const made = await backedUp();
  await sql(made.database, 'INSERT INTO t VALUES (4711);');
  const before = await dump(made.database);
  // So many that a session of its own loads them.
  const rows = Array.from({ length: 60_000 }, (_, n) => `${n}\n`).join('');
  const path = await handMade(
    made.directory,
    `CREATE TABLE t (a integer);\nCOPY t (a) FROM stdin;\n${rows}\\.\nSELECT pg_sleep(${seconds});\nCOPY t (a) FROM stdin;\n${rows}\\.\n`,
  );
  const running = launch(['restore', path, '--yes', '--jobs', '2'], made.env);
  const loading = `SELECT pid FROM pg_stat_activity WHERE datname LIKE '${made.database}_restore_%' AND query LIKE '%pg_sleep%';`;
  await expect.poll(() => sql('postgres', loading)).toMatch(/^\d+$/);
  return { ...made, before, running, loading };
}

/** The live database is as it was; the next restore works and removes what is left. */
async function expectUntouched(made: Awaited<ReturnType<typeof inTheMiddle>>) {
  expect(await dump(made.database)).toBe(made.before);
  const next = await made.run(['restore', '--yes', '--drop-old']);
  expect(next.exitCode).toBe(0);
  expect(await databasesLike(made.database)).toEqual([made.database]);
  return next;
}

describe('in the middle of the load', () => {
  test('kill -9 of the tool: its psql ends, and the next restore removes the scratch database', async () => {
    const made = await inTheMiddle();
    const [psql = 0] = await childrenOf(made.running.pid, 'ON_ERROR_STOP=1');
    const foreign = await temporaryDatabase(
      'CREATE TABLE t (a integer);',
      `${made.database}_restore_20250101_000000_abcd`,
    );
    const unmarked = `${made.database}_restore_20250101_000000_abcd`;
    await sql('postgres', `ALTER DATABASE "${foreign}" RENAME TO "${unmarked}";`);
    made.running.kill('SIGKILL');
    await made.running;
    await expect.poll(() => isRunning(psql)).toBe(false);

    expect(await dump(made.database)).toBe(made.before);
    // While a restore of another test looks at it, on the same server, this one leaves it alone.
    await expect
      .poll(async () => (await made.run(['restore', '--yes', '--drop-old'])).stderr, {
        timeout: 30_000,
      })
      .toContain(
        `database "${unmarked}" looks like what an interrupted restore leaves, but was not removed: it is not marked as ours`,
      );

    expect(await databasesLike(made.database)).toEqual([made.database, unmarked]);
  });

  test('kill -9 of psql: exit 22, and nothing is left', async () => {
    const made = await inTheMiddle();
    killEach(await childrenOf(made.running.pid, 'ON_ERROR_STOP=1'));
    expect(await made.running).toExitWith(22);
    await expectUntouched(made);
  });

  test('kill -9 of those psql that have nothing to do yet: exit 22, and nothing is left', async () => {
    const made = await inTheMiddle(3);
    const psqls = await childrenOf(made.running.pid, 'ON_ERROR_STOP=1');
    // The first holds the lock, the second loads in order.
    killEach(psqls.sort((a, b) => a - b).slice(2));
    const { exitCode, stderr } = await made.running;
    expect(stderr).toContain('psql ended early (SIGKILL)');
    expect(exitCode).toBe(22);
    await expectUntouched(made);
  });

  test('its backend is terminated: exit 22, and nothing is left', async () => {
    const made = await inTheMiddle();
    await sql('postgres', made.loading.replace('SELECT pid', 'SELECT pg_terminate_backend(pid)'));
    const { exitCode, stderr } = await made.running;
    expect(stderr).toMatch(
      /ERROR: the connection to \S+ was lost while the dump was loaded: terminating connection[^;]*; hint: .*the live database was not touched/,
    );
    expect(exitCode).toBe(22);
    expect(await databasesLike(made.database)).toEqual([made.database]);
    await expectUntouched(made);
  });

  test('another restore of the same database is refused, from whatever directory', async () => {
    const made = await inTheMiddle();
    const other = await backedUp();
    const second = await other.run(['restore', '--yes', '--to', made.database]);
    expect(second.stderr).toContain(`another restore works on database "${made.database}"`);
    expect(second.stderr).toMatch(
      /held by process \d+ \(pratiko-backup \w+, since .*SELECT pg_terminate_backend\(\d+\)/,
    );
    expect(second.exitCode).toBe(11);
    made.running.kill('SIGTERM');
    expect(await made.running).toExitWith(143);
    await expectUntouched(made);
  });
});

/** A restore whose swap waits for somebody who works on the live database, whose table is empty. */
async function whileTheSwapWaits() {
  const made = await backedUp();
  await sql(made.database, 'DELETE FROM t;');
  const holder = sql(
    'postgres',
    `BEGIN; ALTER DATABASE ${made.database} CONNECTION LIMIT 77; SELECT '${made.database}', pg_sleep(600);`,
  ).catch(() => undefined);
  const holding = `query LIKE 'SELECT ''${made.database}'', pg_sleep%'`;
  const end = (where: string) =>
    sql('postgres', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${where};`);
  onTestFinished(async () => {
    await end(holding);
  });
  const count = (where: string) =>
    sql('postgres', `SELECT count(*) FROM pg_stat_activity WHERE ${where};`);
  await expect.poll(() => count(holding)).toBe('1');
  const running = launch(['restore', '--yes'], made.env);
  const waiting = `wait_event_type = 'Lock' AND query LIKE '%"${made.database}" RENAME%' AND pid <> pg_backend_pid()`;
  await expect.poll(() => count(waiting)).toBe('1');
  return {
    ...made,
    running,
    endSwap: () => end(waiting),
    /** Whoever kept the swap waiting goes; gives what the live database is then. */
    async afterwards() {
      await end(holding);
      await holder;
      await expect.poll(() => count(waiting)).toBe('0');
      return sql(made.database, 'SELECT count(*) FROM t;');
    },
  };
}

describe('while the swap waits', () => {
  test('kill -9 of the tool: it does not happen afterwards', async () => {
    const made = await whileTheSwapWaits();
    made.running.kill('SIGKILL');
    await made.running;
    expect(await made.afterwards()).toBe('0');
    // A restore of another test, on the same server, can have removed what is left already.
    expect(await made.run(['restore', '--yes', '--drop-old'])).toExitWith(0);
    expect(await databasesLike(made.database)).toEqual([made.database]);
  });

  test('kill -9 of its psql: exit 22, and nothing is left', async () => {
    const made = await whileTheSwapWaits();
    killEach(await childrenOf(made.running.pid, 'ON_ERROR_STOP=1'));
    const { exitCode, stderr } = await made.running;
    expect(stderr).toContain('psql was ended by SIGKILL');
    expect(exitCode).toBe(22);
    expect(await made.afterwards()).toBe('0');
    expect(await databasesLike(made.database)).toEqual([made.database]);
  });

  test('its backend is terminated: exit 22, and nothing is left', async () => {
    const made = await whileTheSwapWaits();
    await made.endSwap();
    const { exitCode, stderr } = await made.running;
    expect(stderr).toMatch(/the databases cannot be swapped: .*terminating connection/);
    expect(exitCode).toBe(22);
    expect(await made.afterwards()).toBe('0');
    expect(await databasesLike(made.database)).toEqual([made.database]);
  });
});

describe.runIf(canMount)('the disk of the server', () => {
  test('is full while it loads: exit 22, and the live database is as it was', async () => {
    const disk = await smallDisk('size=24m');
    const uid = execFileSync('id', ['-u', 'postgres']).toString().trim();
    execFileSync('chown', [uid, disk]);
    const tablespace = `small_${Date.now()}`;
    await sql('postgres', `CREATE TABLESPACE ${tablespace} LOCATION '${disk}';`);
    const made = await backedUp();
    await sql('postgres', `ALTER DATABASE ${made.database} SET TABLESPACE ${tablespace};`);
    onTestFinished(async () => {
      await sql('postgres', `DROP DATABASE ${made.database} WITH (FORCE);`);
      await sql('postgres', `DROP TABLESPACE ${tablespace};`);
    });
    await sql(made.database, 'INSERT INTO t VALUES (4711);');
    const path = await handMade(
      made.directory,
      'CREATE TABLE big AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) AS n;\n',
    );

    const { exitCode, stderr } = await made.run(['restore', path, '--yes']);

    expect(stderr).toMatch(/No space left on device|Check free disk space/);
    expect(stderr).toContain("hint: the server's disk is full: free some space there");
    expect(exitCode).toBe(22);
    expect(await sql(made.database, 'SELECT count(*) FROM t;')).toBe('1001');
    expect(await databasesLike(made.database)).toEqual([made.database]);
  });
});
