import { readlink, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Session } from '../../src/postgres/psql-session.ts';
import { findTool } from '../../src/postgres/tools.ts';
import { bin, installation, temporaryDirectory } from '../support/cli.ts';
import { fakePgDump } from '../support/fake-tool.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { server, sql, temporaryDatabase } from '../support/server.ts';
import { filesIn } from '../support/invariants.ts';

const latest = 'pratiko_backup_latest.sql.gz';
const small = 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;';

/** A fresh database and a tool set to back it up. */
async function prepared(text = small) {
  const database = await temporaryDatabase(text);
  return { database, ...(await installation(database)) };
}

describe('a backup that fails leaves no file and the latest link as it was, because', () => {
  /** Makes one good backup, then one that fails. */
  async function failing(env: Record<string, string>, args: string[] = []) {
    const { directory, run } = await withOneBackup(small);
    const before = (await filesIn(directory)).sort();
    const target = await readlink(join(directory, latest));
    const result = await run(['backup', ...args], { env });
    expect((await filesIn(directory)).sort()).toEqual(before);
    expect(await readlink(join(directory, latest))).toBe(target);
    return result;
  }

  test.each([
    [
      'the port is closed',
      { POSTGRES_PORT: '1' },
      13,
      /cannot connect to 127\.0\.0\.1:1: connection refused; hint: .*docker compose ps/,
    ],
    [
      'the password is wrong',
      { POSTGRES_PASSWORD: 'wrong' },
      13,
      /does not accept the password of user "aifinance"; hint: .*POSTGRES_PASSWORD/,
    ],
    [
      'there is no such user',
      { POSTGRES_USER: 'nobody' },
      13,
      /password of user "nobody"|no user "nobody"/,
    ],
    [
      'there is no such database',
      { POSTGRES_DB: 'no_such' },
      13,
      /there is no database "no_such"; hint: .*POSTGRES_DB/,
    ],
    [
      'there is no such host',
      { POSTGRES_HOST: 'host.invalid' },
      13,
      /unknown host "host\.invalid"; hint: check POSTGRES_HOST/,
    ],
    [
      'a setting is wrong',
      { POSTGRES_PORT: 'x', RETENTION_DAYS: '-1' },
      2,
      /POSTGRES_PORT in the environment is "x".*RETENTION_DAYS in the environment is "-1"/,
    ],
    [
      'there is no tool',
      { PG_BIN_DIR: '/nowhere' },
      12,
      /no usable (psql|pg_dump) in \/nowhere \(PG_BIN_DIR\); hint: set PG_BIN_DIR to/,
    ],
  ])('%s', async (_, env, exitCode, message) => {
    const result = await failing(env);
    expect(result.stderr).toMatch(message);
    expect(result.exitCode).toBe(exitCode);
  });

  const header = "printf -- '--\\n-- PostgreSQL database dump\\n--\\n\\n'";
  const marker = "printf -- '--\\n-- PostgreSQL database dump complete\\n--\\n\\n'";

  test.each([
    [
      'pg_dump is too old',
      'exit 0',
      '12.22',
      12,
      /version 12\.22, too old for the server's \d+.*postgresql-client-\d+/,
    ],
    [
      'pg_dump exits 1',
      `${header}; echo 'pg_dump: error: it broke' >&2; exit 1`,
      '99.0',
      20,
      /pg_dump failed \(exit code 1\): it broke/,
    ],
    [
      'pg_dump exits 1 after a whole dump',
      `${header}; ${marker}; exit 1`,
      '99.0',
      20,
      /pg_dump failed \(exit code 1\): it said nothing/,
    ],
    ['pg_dump is killed', `${header}; kill -9 $$`, '99.0', 20, /pg_dump failed \(SIGKILL\)/],
    [
      'pg_dump exits 0 without a word',
      'exit 0',
      '99.0',
      20,
      /not write a whole dump: the dump is empty/,
    ],
    [
      'pg_dump exits 0 but wrote half',
      header,
      '99.0',
      20,
      /not write a whole dump: no completion marker/,
    ],
    [
      'pg_dump exits 0 inside COPY',
      `${header}; printf 'COPY public.x (a) FROM stdin;\\n1\\n'`,
      '99.0',
      20,
      /COPY of public\.x is not closed/,
    ],
  ])('%s', async (_, script, version, exitCode, message) => {
    const result = await failing({ PG_BIN_DIR: await fakePgDump(script, version) });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toContain('; hint: ');
    expect(result.exitCode).toBe(exitCode);
  });

  test.each([
    ['hangs', 'exec sleep 600'],
    ['does not end', 'exec yes -- "-- a comment that goes on and on"'],
  ])('pg_dump %s, until BACKUP_TIMEOUT ends it', async (_, script) => {
    const result = await failing({
      PG_BIN_DIR: await fakePgDump(script),
      BACKUP_TIMEOUT: '2',
    });
    expect(result.stderr).toContain('the backup took longer than 2 s (BACKUP_TIMEOUT)');
    expect(result.exitCode).toBe(20);
  });

  test('the user may not read a table', async () => {
    const { database, run } = await prepared();
    await sql('postgres', `CREATE ROLE reader_${database} LOGIN PASSWORD 'p';`);
    onTestFinished(() => sql('postgres', `DROP ROLE reader_${database};`).then(() => undefined));
    const result = await run(['backup'], {
      env: { POSTGRES_USER: `reader_${database}`, POSTGRES_PASSWORD: 'p' },
    });
    expect(result.stderr).toContain('missing privilege: permission denied for table t');
    expect(result.exitCode).toBe(13);
  });

  test('row-level security hides rows of a table from the user', async () => {
    const { database, run } = await prepared();
    await sql('postgres', `CREATE ROLE reader_${database} LOGIN PASSWORD 'p';`);
    onTestFinished(() =>
      sql(database, `DROP OWNED BY reader_${database}; DROP ROLE reader_${database};`).then(
        () => undefined,
      ),
    );
    await sql(
      database,
      `GRANT SELECT ON t TO reader_${database}; ALTER TABLE t ENABLE ROW LEVEL SECURITY;`,
    );
    const result = await run(['backup'], {
      env: { POSTGRES_USER: `reader_${database}`, POSTGRES_PASSWORD: 'p' },
    });
    expect(result.stderr).toContain(
      `row-level security hides rows from user "reader_${database}": dump as the tables' owner or a role with BYPASSRLS`,
    );
    expect(result.exitCode).toBe(13);
  });

  test('a table is locked for longer than LOCK_WAIT_TIMEOUT', async () => {
    const { database, run } = await prepared();
    const locker = sql(
      database,
      "SET application_name = 'locker'; BEGIN; LOCK TABLE t; SELECT pg_sleep(60);",
    ).catch(() => undefined);
    const locked = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 't'::regclass;`;
    await expect.poll(() => sql(database, locked)).toBe('1');
    const result = await run(['backup'], { env: { LOCK_WAIT_TIMEOUT: '1' } });
    await sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}';`,
    );
    await locker;
    expect(result.stderr).toMatch(
      /waited too long for a locked table: public\.t; hint: .*LOCK_WAIT_TIMEOUT/,
    );
    expect(result.exitCode).toBe(20);
  });

  test('the server accepts the connection and never answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const result = await failing({ POSTGRES_PORT: port, PGCONNECT_TIMEOUT: '2' });
    expect(result.stderr).toContain('the server does not answer');
    expect(result.exitCode).toBe(13);
  });

  test('the file would be larger than the limit, as on a full disk', async () => {
    const { directory, env } = await prepared(
      'CREATE TABLE t AS SELECT md5(n::text) FROM generate_series(1, 5000) AS n;',
    );
    const command = `ulimit -f 8; exec "$0" "$@"`;
    const { exitCode, stderr } = await execa(
      'sh',
      ['-c', command, process.execPath, bin, '--env-file', '/dev/null', 'backup'],
      {
        env,
        extendEnv: false,
        reject: false,
      },
    );
    expect(stderr).toMatch(
      /cannot write the backup to .* free, more than .* needed\): the file is larger than the limit; hint: /,
    );
    expect(exitCode).toBe(14);
    expect(await filesIn(directory)).toEqual([]);
  });
});

test("where PG_BIN_DIR has Debian's wrapper, the programs that it stands for are used", async () => {
  const made = await prepared();
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'pg_wrapper'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  for (const tool of ['psql', 'pg_dump']) await symlink('pg_wrapper', join(directory, tool));
  const env = { PG_BIN_DIR: directory };
  const { exitCode, stderr } = await made.run(['backup', '--verbose'], { env });
  expect(stderr).toMatch(/DEBUG: server \S+.*, \/usr\/lib\/postgresql\/\d+\/bin\/pg_dump/);
  expect(exitCode).toBe(0);
});

test('a table that is dropped while it is dumped: it is tried again, and told in the end', async () => {
  const made = await prepared();
  const { path } = await findTool('pg_dump', {
    binDir: undefined,
    environment: { PATH: process.env.PATH ?? '' },
    signal: new AbortController().signal,
  });
  const failure = `echo 'pg_dump: error: query failed: ERROR:  relation "public.gone" does not exist' >&2
echo 'pg_dump: detail: Query was: LOCK TABLE public.gone IN ACCESS SHARE MODE' >&2
exit 1`;
  const once = await fakePgDump(
    `[ -e ${made.directory}/../done ] && exec ${path} "$@"\ntouch ${made.directory}/../done\n${failure}`,
  );
  const again = await made.run(['backup'], { env: { PG_BIN_DIR: once } });
  expect(again.stderr).toMatch(/a table was dropped while it was dumped: .*; trying once more/);
  expect(again).toExitWith(0);
  const never = await fakePgDump(failure);
  const failed = await made.run(['backup'], { env: { PG_BIN_DIR: never } });
  expect(failed.stderr).toMatch(/ERROR: a table was dropped while it was dumped/);
  expect(failed).toExitWith(20);
  expect((await filesIn(made.directory)).filter((file) => /\d\.sql\.gz/.test(file))).toHaveLength(
    1,
  );
});

const small2 = `${small} CREATE UNIQUE INDEX i ON t (a); CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE "u; v" AS SELECT generate_series(1, 7) AS a;`;

/** Changes tables in a transaction that is open until a backup waits for them; gives the ending of that. */
async function changedMeanwhile(change: string, env: Record<string, string> = {}) {
  const { run, database } = await prepared(small2);
  await using other = new Session(server, database);
  await other.ask(`BEGIN; ${change};`);
  const backup = run(['backup'], { env });
  const waits = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}' AND wait_event_type = 'Lock';`;
  await expect.poll(() => sql('postgres', waits)).toBe('1');
  await other.ask('COMMIT;');
  return await backup;
}

const again = (table: string) =>
  `${table} was changed while pg_dump began: its rows or definitions would be missing; trying once more`;

test.each([
  ['altered', 'public.t', 'ALTER TABLE t ALTER COLUMN a TYPE bigint'],
  ['refreshed', 'public.t', 'TRUNCATE t; INSERT INTO t SELECT generate_series(1, 1000)'],
  [
    'dropped and made anew',
    'public.t',
    'DROP TABLE t; CREATE TABLE t AS SELECT generate_series(1, 1000)',
  ],
  [
    'replaced by its name',
    'public.t',
    'CREATE TABLE n AS SELECT generate_series(1, 1000); ALTER TABLE t RENAME TO o; ALTER TABLE n RENAME TO t; DROP TABLE o',
  ],
  [
    'in a schema that is replaced by its name',
    'public.t',
    'CREATE SCHEMA n; CREATE TABLE n.t AS SELECT generate_series(1, 1000); CREATE TABLE n."u; v" AS SELECT generate_series(1, 7); ALTER SCHEMA public RENAME TO o; ALTER SCHEMA n RENAME TO public; DROP SCHEMA o CASCADE',
  ],
  [
    'migrated column by column',
    'public.t',
    'ALTER TABLE t ADD n bigint; UPDATE t SET n = a; ALTER TABLE t DROP a; ALTER TABLE t RENAME n TO a',
  ],
  [
    'given its index anew',
    'public.t',
    'LOCK TABLE t; DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)',
  ],
  [
    'used by a function that is made anew',
    'a function, view or type',
    'LOCK TABLE t; DROP FUNCTION f(int); CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS $$SELECT 2$$',
  ],
  [
    'called by an odd name',
    'public.u; v',
    'TRUNCATE "u; v"; INSERT INTO "u; v" SELECT generate_series(1, 7)',
  ],
])(
  'a table that is %s while pg_dump begins is not taken for an empty one',
  async (_, table, change) => {
    const made = await changedMeanwhile(change);
    expect(made.stderr).toContain(again(table));
    expect(made.stderr).toContain('is good: 2 tables, 1,007 rows');
    expect(made).toExitWith(0);
  },
);

test('rows that are left out on purpose may be replaced meanwhile, others may not', async () => {
  const refresh = 'TRUNCATE t; INSERT INTO t SELECT generate_series(1, 1000)';
  const without = await changedMeanwhile(refresh, { BACKUP_EXCLUDE_TABLE_DATA: 'public.t' });
  expect(without.stderr).not.toContain('trying once more');
  expect(without).toExitWith(0);
  const other = await changedMeanwhile(refresh, { BACKUP_EXCLUDE_TABLE_DATA: 'public.u*' });
  expect(other.stderr).toContain(again('public.t'));
  expect(other).toExitWith(0);
});
