import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { findTool } from '../../src/postgres/tools.ts';
import { databasesLike, server, sql, temporaryDatabase } from '../support/server.ts';
import { installation } from '../support/cli.ts';

const comment = (name: string) =>
  `SELECT encode(textsend(shobj_description(oid, 'pg_database')), 'hex') FROM pg_database WHERE datname = '${name}';`;

/** Runs SQL whose bytes are LATIN1, in a database of that encoding. */
async function latin1(database: string, text: string): Promise<void> {
  const env = { ...libpqEnvironment(server.environment, server.connection, database) };
  const running = promisify(execFile)(server.psql.path, ['-X', '-v', 'ON_ERROR_STOP=1'], {
    env: { ...env, PGCLIENTENCODING: 'LATIN1' },
  });
  running.child.stdin?.end(Buffer.from(text, 'latin1'));
  await running;
}

test('a comment in LATIN1 comes back byte for byte, by restore and undo, and stops nobody else', async () => {
  const database = await temporaryDatabase();
  await sql('postgres', `DROP DATABASE ${database};`);
  await sql(
    'postgres',
    `CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';`,
  );
  await latin1(
    database,
    `CREATE TABLE "città" AS SELECT 'però'::text AS "è"; CREATE TABLE "cittè" AS SELECT 1 AS a;
     COMMENT ON DATABASE ${database} IS 'è così';
     ALTER DATABASE ${database} SET app.motto = 'perché no';`,
  );
  const { run } = await installation(database);
  const bytes = Buffer.from('è così', 'latin1').toString('hex');
  const motto = "SELECT encode(textsend(current_setting('app.motto')), 'hex');";
  const expectWhole = async () => {
    expect(await sql('postgres', comment(database))).toBe(bytes);
    expect(await sql(database, motto)).toBe(Buffer.from('perché no', 'latin1').toString('hex'));
    expect(
      await sql(
        database,
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace;",
      ),
    ).toBe('2');
  };
  expect(await run(['backup'])).toExitWith(0);
  expect((await run(['list'])).stdout).toContain('verified');
  expect(await run(['restore', '--yes'])).toExitWith(0);
  await expectWhole();
  expect(await run(['restore', '--undo', '--yes'])).toExitWith(0);
  await expectWhole();

  const other = await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;');
  const elsewhere = await installation(other);
  expect(await elsewhere.run(['backup'])).toExitWith(0);
  expect(await elsewhere.run(['restore', '--yes', '--drop-old'])).toExitWith(0);

  for (const name of await databasesLike(database)) await sql('postgres', `DROP DATABASE ${name};`);
  const made = await run(['restore', '--yes']);
  expect(made.stderr).not.toContain('refused');
  expect(made).toExitWith(0);
  await expectWhole();
});

test('what is set for sessions converts no character', async () => {
  // In SJIS, two of them are one.
  const database = await temporaryDatabase(
    String.raw`CREATE TABLE t (a text PRIMARY KEY); INSERT INTO t VALUES (U&'\00A2'), (U&'\FFE0'), (U&'\00AC');`,
  );
  await sql(database, `ALTER DATABASE ${database} SET client_encoding TO 'SJIS';`);
  const state = "SELECT string_agg(encode(convert_to(a, 'UTF8'), 'hex'), ' ' ORDER BY a) FROM t;";
  const before = await sql(database, state);
  const { run } = await installation(database);
  expect(await run(['backup'])).toExitWith(0);
  expect(await run(['verify', '--restore'])).toExitWith(0);
  expect(await run(['restore', '--yes', '--drop-old'])).toExitWith(0);
  expect(await sql(database, state)).toBe(before);
});

test('a dump in another encoding than its database is proven in that', async () => {
  const database = await temporaryDatabase("CREATE TABLE t AS SELECT 'café' AS a;");
  const { run, directory } = await installation(database);
  const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
  const { path: pgDump } = await findTool('pg_dump', {
    binDir: undefined,
    environment: { PATH: process.env.PATH ?? '' },
    signal: server.signal,
  });
  const { stdout } = await execa(pgDump, ['--encoding=LATIN1'], {
    env: libpqEnvironment(server.environment, server.connection, database),
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  await writeFile(path, gzipSync(stdout));
  expect(await run(['verify', '--restore', '20250101'])).toExitWith(0);
});

test('settings that would have a dump read in another way than it was written do not', async () => {
  const database = await temporaryDatabase(
    `CREATE TABLE t AS SELECT ARRAY[NULL, 'NULL'] AS words, ARRAY[NULL, 2] AS numbers;
     CREATE VIEW v AS SELECT words = NULL AS is_equal FROM t;`,
  );
  for (const setting of ['array_nulls = off', 'transform_null_equals = on']) {
    await sql(database, `ALTER DATABASE ${database} SET ${setting};`);
  }
  const state = 'SELECT words, words[1] IS NULL, numbers FROM t; SELECT is_equal IS NULL FROM v;';
  const before = await sql(database, state);
  const { run } = await installation(database);
  expect(await run(['backup'])).toExitWith(0);
  for (const jobs of ['1', '2']) {
    expect(await run(['restore', '--yes', '--drop-old', '--jobs', jobs])).toExitWith(0);
    expect(await sql(database, state)).toBe(before);
  }
});

test('settings of the database decide how values are read and computed, as when they were dumped', async () => {
  const database = await temporaryDatabase();
  await sql(
    database,
    `ALTER DATABASE ${database} SET timezone TO 'Asia/Tokyo';
     ALTER DATABASE ${database} SET datestyle TO 'SQL, DMY';
     ALTER DATABASE ${database} SET app.unit TO 'metre';
     ALTER DATABASE ${database} SET statement_timeout TO '1ms';
     ALTER ROLE aifinance IN DATABASE ${database} SET intervalstyle TO 'sql_standard';`,
  );
  const state = `SELECT d, u FROM m; SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = '${database}') ORDER BY 1;`;
  await sql(
    database,
    `CREATE TABLE t AS SELECT timestamptz '2025-01-01 20:00+00' AS at;
     CREATE MATERIALIZED VIEW m AS SELECT at::date::text AS d, current_setting('app.unit') AS u FROM t;`,
  );
  const before = await sql(database, state);
  expect(before).toContain('02/01/2025|metre');
  const { run } = await installation(database);
  expect(await run(['backup'])).toExitWith(0);
  for (const jobs of ['1', '2']) {
    const restored = await run(['restore', '--yes', '--drop-old', '--jobs', jobs]);
    expect(restored).toExitWith(0);
    expect(await sql(database, state)).toBe(before);
  }
  await sql('postgres', `DROP DATABASE ${database};`);
  expect(await run(['restore', '--yes'])).toExitWith(0);
  expect(await sql(database, state)).toBe(before);
});
