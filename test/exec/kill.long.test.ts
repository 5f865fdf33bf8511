import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { docker, throughDocker } from '../support/docker.ts';
import { killEach, killGroup, launch } from '../support/launch.ts';
import { databasesLike, sql } from '../support/server.ts';
import { hold, ours, sessionThat, waits } from '../support/sessions.ts';

/** The client of docker whose other end is a session. */
async function clientOf(session: string): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    if (!(await read('environ')).split('\0').includes(`PGAPPNAME=${session}`)) continue;
    let client = Number(pid);
    while (!(await commandOf(client)).includes('docker')) client = await parentOf(client);
    return client;
  }
  throw new Error(`no program has the session ${session}`);
}

const commandOf = (pid: number) => readFile(`/proc/${pid}/cmdline`, 'utf8');

async function parentOf(pid: number): Promise<number> {
  return Number(/\) \S (\d+) /.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1]);
}

async function behindDocker() {
  const made = await backedUp();
  const { exec } = await docker();
  return { ...made, env: throughDocker(made.env, exec) };
}

describe('a pg_dump in a container that waits for a lock', () => {
  test('is gone when Ctrl-C has ended the backup', async () => {
    const { env, database } = await behindDocker();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat(database, waits);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    expect(await ours(database)).toBe('0');
  });

  test('is gone when the time for the backup is over', async () => {
    const { env, database } = await behindDocker();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], { ...env, BACKUP_TIMEOUT: '6' });
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat(database, waits);
    expect((await running).exitCode).toBe(20);
    expect(await ours(database)).toBe('0');
  });

  test('is gone when docker was killed, and that is told', async () => {
    const { env, database, directory } = await behindDocker();
    const before = await readdir(directory);
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    killEach([await clientOf(await sessionThat(database, waits))]);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(20);
    expect(stderr).toContain('(POSTGRES_EXEC) ended before pg_dump did (SIGKILL)');
    expect(await ours(database)).toBe('0');
    expect((await readdir(directory)).filter((name) => name.endsWith('.gz'))).toEqual(
      before.filter((name) => name.endsWith('.gz')),
    );
  });

  test('ends soon when we were killed', async () => {
    const { env, database } = await behindDocker();
    await hold(database, 'LOCK TABLE t');
    const running = launch(['backup'], env);
    await sessionThat(database, waits);
    running.kill('SIGKILL');
    await running;
    await expect.poll(() => ours(database), { timeout: 20_000 }).toBe('0');
  });
});

describe('a swap in a container', () => {
  test('did not happen when docker was killed meanwhile, and does not happen later', async () => {
    const { env, database } = await behindDocker();
    await sql(database, 'DELETE FROM t WHERE a > 7;');
    const identity = `SELECT oid FROM pg_database WHERE datname = '${database}';`;
    const before = await sql('postgres', identity);
    const release = await hold('postgres', `ALTER DATABASE ${database} CONNECTION LIMIT 50`);
    const running = launch(['restore', '--yes'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    killEach([
      await clientOf(await sessionThat(database, `${waits} AND query LIKE '%RENAME TO%'`)),
    ]);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(22);
    expect(stderr).toContain('the live database was not touched');
    await release();
    expect(await sql('postgres', identity)).toBe(before);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('7');
    expect((await databasesLike(database)).filter((name) => name !== database)).toEqual([]);
  });

  test('does not happen later where it was on its way when docker was killed', async () => {
    const made = await backedUp();
    const { database } = made;
    const { exec, directory } = await docker('RENAME TO');
    await sql(database, 'DELETE FROM t WHERE a > 7;');
    expect(await made.run(['restore', '--yes'])).toExitWith(0);
    const identity = `SELECT oid FROM pg_database WHERE datname = '${database}';`;
    const before = await sql('postgres', identity);
    // Nothing but the swap itself would change anything then.
    const running = launch(['restore', '--undo', '--yes'], throughDocker(made.env, exec));
    onTestFinished(() => void running.kill('SIGKILL'));
    const held = () => readFile(join(directory, 'held'), 'utf8').catch(() => '');
    await expect.poll(held, { timeout: 20_000 }).toMatch(/^\d+ \d+$/);
    const [client = '', relay = ''] = (await held()).split(' ');
    killEach([Number(client)]);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(22);
    expect(stderr).toContain('(POSTGRES_EXEC) ended before psql did');
    // Now psql gets it, and its end: its session is gone, and it can do nothing with it.
    await expect.poll(() => readdir(directory), { timeout: 20_000 }).toContain(`ended-${relay}`);
    expect(await sql('postgres', identity)).toBe(before);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  });

  test('is one or the other when we are killed meanwhile, and the next restore tidies up', async () => {
    const { env, database } = await behindDocker();
    await sql(database, 'DELETE FROM t WHERE a > 7;');
    const release = await hold('postgres', `ALTER DATABASE ${database} CONNECTION LIMIT 50`);
    const running = launch(['restore', '--yes'], env);
    await sessionThat(database, `${waits} AND query LIKE '%RENAME TO%'`);
    killGroup(running);
    await running;
    await release();
    await expect.poll(() => ours(database), { timeout: 20_000 }).toBe('0');
    expect(['7', '1000']).toContain(await sql(database, 'SELECT count(*) FROM t;'));
    expect((await launch(['restore', '--yes'], env)).exitCode).toBe(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
    const left = await databasesLike(database);
    expect(left.filter((name) => name.includes('_restore_'))).toEqual([]);
  });
});

describe('a load in a container', () => {
  const slow = `CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;
    CREATE FUNCTION slow() RETURNS integer LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(CASE WHEN current_database() LIKE ''%restore%'' THEN 60 ELSE 0 END)';
    CREATE MATERIALIZED VIEW m AS SELECT public.slow() AS one;`;
  const refreshes = "state = 'active' AND query LIKE '%REFRESH%'";

  async function slowToLoad() {
    const made = await backedUp(slow);
    const { exec } = await docker();
    return { ...made, env: throughDocker(made.env, exec) };
  }

  test('fails when docker is killed, and nothing of it is left', async () => {
    const { env, database } = await slowToLoad();
    const running = launch(['restore', '--yes'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    const session = await sessionThat('REFRESH', refreshes);
    killEach([await clientOf(session)]);
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(22);
    expect(stderr).toContain('the live database was not touched');
    expect(await ours(database)).toBe('0');
    expect(await databasesLike(database)).toEqual([database]);
  });

  test('ends on the server, too, with Ctrl-C', async () => {
    const { env, database } = await slowToLoad();
    const running = launch(['restore', '--yes'], env);
    onTestFinished(() => void running.kill('SIGKILL'));
    await sessionThat('REFRESH', refreshes);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    expect(await ours(database)).toBe('0');
    expect(await databasesLike(database)).toEqual([database]);
  });
});
