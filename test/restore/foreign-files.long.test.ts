import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { ordinaryUser, temporaryRole } from '../support/roles.ts';
import { databasesLike, dump, sql, temporaryDatabase } from '../support/server.ts';

const header = '--\n-- PostgreSQL database dump\n--\n\n';
const marker = '\n--\n-- PostgreSQL database dump complete\n--\n\n';
const table = 'CREATE TABLE public.t (a integer);\nCOPY public.t (a) FROM stdin;\n1\n2\n\\.\n';

/** A database, and a file to be restored over it. */
async function withFile(content: Buffer | string, name = 'foreign.sql') {
  const database = await temporaryDatabase();
  const tool = await installation(database);
  const path = join(tool.directory, name);
  await writeFile(path, content);
  const restore = (...args: string[]) => tool.run(['restore', path, '--yes', ...args]);
  return { ...tool, database, path, restore };
}

describe('what psql reads is restored, however the file went through other hands', () => {
  const clean = header + table + marker;
  const restricted = `${header}\\restrict abc\n\n${table}${marker}\\unrestrict abc\n\n`;
  test.each<[string, Buffer | string]>([
    ['restrict lines taken out', restricted.replaceAll(/^\\(un)?restrict .*\n/gm, '')],
    ['only the first of them', restricted.replace('\\restrict abc\n', '')],
    ['one line break more', `${clean}\n`],
    ['no empty line at the end', clean.trimEnd()],
    ['a comment behind', `${clean}-- copied by hand\n`],
    ['CRLF', clean.replaceAll('\n', '\r\n')],
    ['CRLF in the rows only', clean.replace('1\n2\n\\.\n', '1\r\n2\r\n\\.\r\n')],
    ['a byte order mark', `\ufeff${clean}`],
    [
      'a schema that is there',
      clean.replace('CREATE TABLE', 'CREATE SCHEMA public;\nCREATE TABLE'),
    ],
    ['a language that is there', `${header}CREATE PROCEDURAL LANGUAGE plpgsql;\n${table}${marker}`],
    ['a parameter that is gone', `${header}SET default_with_oids = false;\n${table}${marker}`],
    [
      'statistics of 18',
      `${header}${table}SELECT * FROM pg_catalog.pg_restore_relation_stats(\n\t'version', '180000'::integer\n);\n${marker}`,
    ],
    [
      'a table called pg_…',
      `${header}${table}CREATE TABLE pg_mine (a integer);\nINSERT INTO pg_mine VALUES (1);\n${marker}`
        .replace('pg_mine (a', 'public.pg_mine (a')
        .replace('INTO pg_mine', 'INTO public.pg_mine'),
    ],
    [
      'a view of no columns to be removed',
      `${header}CREATE OR REPLACE VIEW public.v AS\nSELECT;\n${table}${marker}`,
    ],
  ])('%s', async (_, content) => {
    for (const jobs of ['1', '2']) {
      const { database, restore } = await withFile(content);
      expect(await restore('--jobs', jobs)).toExitWith(0);
      expect(await sql(database, 'SELECT sum(a) FROM public.t;')).toBe('3');
    }
  });

  test('a dump that is cut stays refused', async () => {
    for (const length of [clean.length - 9, clean.indexOf('\\.') + 3, clean.indexOf('2\n')]) {
      const { database, restore } = await withFile(clean.slice(0, length));
      expect(await restore()).toExitWith(22);
      expect(await databasesLike(database)).toEqual([database]);
    }
  });
});

describe('what cannot be restored is named, with what to do', () => {
  test.each<[string, Buffer | string, string]>([
    ['UTF-16', Buffer.from(`\ufeff${header}`, 'utf16le'), 'iconv -f UTF-16'],
    ['age, as text', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n', 'age --decrypt'],
    ['the script of a tar dump', `${header}COPY public.t FROM '$$PATH$$/1.dat';\n`, 'pg_restore'],
    ['SQL by others', 'CREATE TABLE t (a integer);\n', '--unproven'],
  ])('%s', async (_, content, hint) => {
    const { stderr, exitCode } = await (await withFile(content)).restore();
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('pratiko-backup list');
    expect(exitCode).toBe(21);
  });

  test.each<[string, Buffer | string, string]>([
    ['age', 'age-encryption.org/v1\n-> X25519 abc\n', 'set BACKUP_AGE_IDENTITY_FILE'],
    ['gpg', Buffer.from('85020c03d6a1', 'hex'), 'its private key is not here'],
    ['gpg with a passphrase', Buffer.from('8c0d0409030286', 'hex'), 'unlock it first'],
  ])('what is encrypted with %s needs its key', async (_, content, said) => {
    const { database, restore } = await withFile(content);
    const { stderr, exitCode } = await restore();
    expect(stderr).toContain(said);
    expect([2, 21]).toContain(exitCode);
    expect(await databasesLike(database)).toEqual([database]);
  });

  test.each([
    ['--data-only', 'rows only'],
    ['--section=post-data', 'only what comes after the rows'],
  ])('a dump with %s', async (option, message) => {
    const database = await temporaryDatabase(
      'CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t VALUES (1);',
    );
    const { restore, database: target } = await withFile(
      (await dump(database, option)).replaceAll('restrict KEY', 'restrict k'),
    );
    const { stderr, exitCode } = await restore();
    expect(stderr).toContain(message);
    expect(exitCode).toBe(22);
    expect(await databasesLike(target)).toEqual([target]);
  });
});

test('--unproven takes SQL without header and marker, and says what is not proven', async () => {
  const { database, restore } = await withFile(
    'CREATE TABLE public.t (a integer);\nINSERT INTO public.t VALUES (3);\n',
  );
  const { stderr, exitCode } = await restore('--unproven');
  expect(stderr).toContain('nothing proves that the file is whole');
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT sum(a) FROM t;')).toBe('3');
  const cut = await withFile('CREATE TABLE public.t (a integer);\nINSERT INTO public.t VALUES (3');
  expect(await cut.restore('--unproven')).toExitWith(22);
});

test('roles that are not here are named before anything is done, with the SQL that creates them', async () => {
  const role = await temporaryRole();
  const database = await temporaryDatabase(
    `CREATE TABLE t AS SELECT 1 AS a; GRANT SELECT ON t TO "${role}";`,
  );
  const { run } = await installation(database);
  expect(await run(['backup'])).toExitWith(0);
  await sql(database, `REVOKE ALL ON t FROM "${role}"; DROP ROLE "${role}";`);
  const { stderr } = await run(['restore', '--dry-run']);
  expect(stderr).toContain(`create them first: CREATE ROLE "${role}";`);
});

test.each([
  "SET SESSION AUTHORIZATION 'nobody here';\nCREATE VIEW public.v AS SELECT 1;\nRESET SESSION AUTHORIZATION;\n",
  'GRANT SELECT ON TABLE public.t TO GROUP nobody_here;\n',
  'CREATE EXTENSION file_fdw;\nCREATE SERVER s FOREIGN DATA WRAPPER file_fdw;\nCREATE USER MAPPING FOR nobody_here SERVER s;\n',
])('what is for roles that are not here is left out: %j', async (statements) => {
  const { database, restore } = await withFile(header + table + statements + marker);
  const { stderr, exitCode } = await restore();
  expect(stderr).toMatch(/left out \d statements? about roles/);
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT sum(a) FROM t;')).toBe('3');
});

test('who is no superuser restores a dump that comments on what every database has', async () => {
  const { database, run, path } = await withFile(
    `${header}COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';\n${table}${marker}`,
  );
  const { env } = await ordinaryUser(database);
  expect(await run(['restore', path, '--yes'], { env })).toExitWith(0);
});

test('before a person agrees, they see who is connected and which rows they lose', async () => {
  const database = await temporaryDatabase(
    'CREATE TABLE t AS SELECT generate_series(1, 100) AS a;',
  );
  const { run } = await installation(database);
  expect(await run(['backup'])).toExitWith(0);
  await sql(
    database,
    'INSERT INTO t SELECT 1 FROM generate_series(1, 50); CREATE TABLE new AS SELECT 1 AS a;',
  );
  await sql(database, 'ANALYZE;');
  const { stderr } = await run(['restore', '--dry-run']);
  expect(stderr).toContain(`rows: about 151 in "${database}" now, 100 in the backup; fewer in:`);
  expect(stderr).toContain('public.t: about 150 rows now, 100 in the backup');
  expect(stderr).toContain('public.new: about 1 row now, not in the backup');
});

test('in encodings where a byte of a character can be a backslash, strings end where psql has them end', async () => {
  const { database, restore } = await withFile(
    Buffer.concat([
      Buffer.from(
        `${header}SET client_encoding = 'SJIS';\nSET standard_conforming_strings = off;\nCREATE TABLE public.t (a text, b text);\nINSERT INTO public.t VALUES ('`,
      ),
      // SJIS of 表, whose second byte is that of a backslash; an escaped backslash follows.
      Buffer.from([0x95, 0x5c]),
      Buffer.from("', 'it''s\\\\');\nCOMMENT ON TABLE public.t IS '"),
      Buffer.from([0x95, 0x5c]),
      Buffer.from(`';\nCOPY public.t (a, b) FROM stdin;\n`),
      Buffer.from([0x95, 0x5c]),
      Buffer.from(`\tx\n\\.\n${marker}`),
    ]),
  );
  expect(await restore()).toExitWith(0);
  const found = "SELECT string_agg(a || b, ' ') || obj_description('t'::regclass) FROM t;";
  expect(await sql(database, found)).toBe(String.raw`表it's\ 表x表`);
});

test('what a dump with --create sets for its database decides values, and stays where none was there', async () => {
  const source = await temporaryDatabase(
    "CREATE MATERIALIZED VIEW m AS SELECT timestamptz '2025-01-01 20:00+00' || '' AS t;",
  );
  const set = "SET timezone TO 'Asia/Tokyo'";
  await sql(
    source,
    `ALTER DATABASE ${source} ${set}; ALTER DATABASE ${source} SET search_path TO 'a b', public;`,
  );
  const file = await dump(source, '--create');
  const { database, restore } = await withFile(file);
  const tokyo = '2025-01-02 05:00:00+09';
  expect(await restore()).toExitWith(0);
  // The database that is replaced has none of these, and keeps that.
  expect(await sql(database, 'SELECT t FROM public.m; SHOW timezone;')).not.toContain('Tokyo');
  expect(await sql(database, 'SELECT t FROM public.m;')).toBe(tokyo);
  await restore('--to', `${database}_fresh`);
  expect(await sql(`${database}_fresh`, 'SHOW timezone; SHOW search_path;')).toBe(
    'Asia/Tokyo\n"a b", public',
  );
});
