import { execFileSync, spawn } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { execute, within, type Server } from '../../src/postgres/psql.ts';
import type { Sandbox } from '../../src/postgres/sandbox.ts';
import { findTool } from '../../src/postgres/tools.ts';
import { runTool } from '../support/cli.ts';
import { launch } from '../support/launch.ts';
import { environmentFor, startOwnServer } from '../support/own-server.ts';
import { closedPort } from '../support/slack.ts';

describe('a hot standby', () => {
  let primary: Sandbox;
  let standby: Server;
  let directory: string;
  let port: number;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    primary = await startOwnServer({ wal_level: 'replica', max_wal_senders: '4' });
    const ask = (sql: string, database = 'app') => execute(primary.server, database, sql);
    await ask('CREATE DATABASE app;', 'postgres');
    await ask(
      'CREATE TABLE a AS SELECT generate_series(1, 100) AS n; CREATE TABLE b AS SELECT 1 AS n;',
    );
    directory = await mkdtemp(join(tmpdir(), 'pratiko_standby_'));
    const isRoot = process.getuid?.() === 0;
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
    const user = isRoot ? { uid: id('-u'), gid: id('-g') } : {};
    if (isRoot) await chown(directory, id('-u'), id('-g'));
    const search = {
      binDir: undefined,
      environment: { PATH: process.env.PATH ?? '' },
      signal: new AbortController().signal,
    };
    const { path } = await findTool('postgres', search);
    const { connection } = primary.server;
    execFileSync(
      (await findTool('pg_basebackup', search)).path,
      [
        '-D',
        join(directory, 'data'),
        '-R',
        '-c',
        'fast',
        '-h',
        connection.host,
        '-p',
        String(connection.port),
        '-U',
        connection.user,
      ],
      { env: { PGPASSWORD: connection.password }, cwd: directory, ...user },
    );
    port = Number((await closedPort()).split(':')[1]);
    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_standby_streaming_delay: '0',
      hot_standby: 'on',
    };
    const postgres = spawn(
      path,
      [
        '-D',
        join(directory, 'data'),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { cwd: directory, env: { LC_ALL: 'C' }, stdio: 'ignore', ...user },
    );
    stop = async () => {
      const ended = new Promise((resolve) => postgres.on('exit', resolve));
      postgres.kill('SIGINT');
      await ended;
    };
    standby = { ...primary.server, connection: { ...connection, port } };
    const follows = () => execute(standby, 'app', 'SELECT count(*) FROM b;');
    await vi.waitFor(async () => expect(await follows()).toBe('1\n'), 30_000);
  }, 90_000);

  afterAll(async () => {
    await stop();
    await primary[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const settings = async () =>
    environmentFor(primary, { POSTGRES_DB: 'app', POSTGRES_PORT: String(port) });

  test('can be backed up, and the drill tells where it cannot be tried', async () => {
    const env = await settings();
    expect(await runTool(['backup'], { env })).toExitWith(0);
    expect(await runTool(['verify'], { env })).toExitWith(0);
    const doctor = await runTool(['doctor'], { env });
    expect(doctor.stdout).toMatch(/warning +restore +the server is a standby/);
    const drill = await runTool(['verify', '--restore'], { env });
    expect(drill).toExitWith(22);
    expect(drill.stderr).toContain('the server is a standby');
    const sandbox = await runTool(['verify', '--restore', '--sandbox'], { env });
    expect(sandbox).toExitWith(0);
  });

  test('takes no restore, and says where it goes', async () => {
    const env = await settings();
    expect(await runTool(['backup'], { env })).toExitWith(0);
    const restore = await runTool(['restore', '--yes'], { env });
    expect(restore).toExitWith(22);
    expect(restore.stderr).toContain('the server is a standby, which can only be read');
    expect(restore.stderr).toContain('restore on the primary');
  });

  test('a dump that it cancels to follow the primary fails with a way out', async () => {
    const env = await settings();
    const holding = new AbortController();
    onTestFinished(() => holding.abort());
    // What holds up pg_dump there is a lock of the primary's.
    void execute(
      within(primary.server, holding.signal),
      'app',
      'BEGIN; LOCK TABLE b; SELECT pg_switch_wal(); SELECT pg_sleep(60);',
    ).catch(() => undefined);
    const locked =
      "SELECT count(*) FROM pg_locks WHERE relation = 'b'::regclass AND mode = 'AccessExclusiveLock';";
    await expect.poll(() => execute(standby, 'app', locked)).toBe('1\n');
    const running = launch(['backup'], env);
    const waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pratiko-backup%' AND wait_event_type = 'Lock';";
    await expect.poll(() => execute(standby, 'app', waiting)).toBe('1\n');
    await execute(primary.server, 'app', 'DROP TABLE a;');
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(20);
    expect(stderr).toContain('conflict with recovery');
    expect(stderr).toMatch(/hint: [^]*max_standby_streaming_delay/);
  });
});
