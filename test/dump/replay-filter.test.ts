import { describe, expect, test } from 'vitest';
import { DumpInspector } from '../../src/dump/contents.ts';
import { RoleFilter } from '../../src/dump/role-filter.ts';
import { ReplayFilter } from '../../src/dump/replay-filter.ts';

const roles = {
  existing: new Set(['app']),
  assignable: new Set(['app']),
  impersonable: new Set(['app']),
};

const createReplayFilter = (onUnsafe?: (message: string) => void) =>
  new ReplayFilter({
    ownership: new RoleFilter({ roles, owners: true, privileges: true }),
    serverMajor: 15,
    superuser: true,
    ...(onUnsafe === undefined ? {} : { onUnsafe }),
  });

/** What psql is given of a dump. */
function replayed(sql: string, replay = createReplayFilter()): string {
  const inspector = new DumpInspector();
  const kept: Buffer[] = [];
  for (const token of [...inspector.read(Buffer.from(sql)), ...inspector.end()]) {
    kept.push(...replay.read(token));
  }
  return Buffer.concat(kept).toString();
}

const padding = ' '.repeat(300_000);
const header = 'SET statement_timeout = 0;\n';

describe('what reaches outside the database is refused', () => {
  test.each([
    ['SELECT 1 \\g /tmp/x\n', 'psql command \\g'],
    ['-- x\r\\! touch x\n', 'psql command \\! touch'],
    [`/*/ '*/ \\! touch x\n--'\n`, 'psql command \\! touch'],
    ["SELECT E'x'\\! touch x\n;", 'psql command \\! touch'],
    ['CREATE TABLE a (); COPY a FROM stdin; \\! touch x\n\\.\n', 'psql command'],
    ['/* x */ drop /* y */ database x;\n', 'it contains drop   database x'],
    ['CREATE USER "evil" SUPERUSER;\n', 'it contains CREATE USER "evil'],
    [`CREATE ROLE${padding} "evil";\n`, 'it contains CREATE ROLE'],
    [`SELECT 1; DROP /*${padding}*/ DATABASE victim;\n`, 'it contains DROP   DATABASE victim'],
    ['GRANT pg_execute_server_program TO app;\n', 'it contains GRANT pg_execute'],
    ['REASSIGN OWNED BY a TO b;\n', 'it contains REASSIGN OWNED'],
    ['COPY t FROM stdin WITH (FORMAT binary);\n', 'it contains COPY t FROM stdin WITH'],
    ["SET SESSION standard_conforming_strings TO 'off';\n", 'it contains SET SESSION standard'],
    [
      "SELECT set_config('standard_conforming_strings', 'off', false);\n",
      'it contains SELECT set_',
    ],
    [
      "SET standard_conforming_strings = off; SELECT '\\''; DROP DATABASE x; --';\n",
      'it contains DROP',
    ],
    ['SELECT 2/**/*3; DROP DATABASE x; -- */\n;\n', 'it contains DROP DATABASE x'],
    [
      'CREATE TABLE t (a text);\nCOPY t FROM stdin;\na\r\n\\.\r\nDROP DATABASE x;\n',
      'it contains DROP DATABASE x',
    ],
    ["COPY t FROM PROGRAM 'id';\n", 'it contains COPY t FROM PROGRAM'],
    ['CREATE TABLE x (); UPDATE pg_catalog.pg_database SET a = 0;\n', 'it contains UPDATE'],
    ['CREATE DATABASE a; \\connect b\n', 'psql command \\connect b'],
    ['CREATE DATABASE a; \\connect a\nCREATE DATABASE b;\n', 'it contains CREATE DATABASE b'],
    ['CREATE TABLE x (); ALTER DATABASE l SET work_mem = 1;\n', 'it contains ALTER DATABASE l'],
  ])('case %#', (sql, message) => {
    expect(() => replayed(header + sql)).toThrow(message);
  });

  test('or left out, where that is wanted', () => {
    const unsafe: string[] = [];
    const replay = createReplayFilter((message) => unsafe.push(message));
    const sql = 'SELECT 0;\nDROP ROLE x;\nSELECT 1;\n\\N\nSELECT 2;\n';
    expect(replayed(sql, replay)).toBe('SELECT 0;\n\nSELECT 1;\n\nSELECT 2;\n');
    expect(unsafe).toEqual(['it contains DROP ROLE x;', 'it contains the psql command \\N']);
  });
});

describe('what a new database does not need is left out', () => {
  test.each([
    [
      'DROP TABLE public.t;\nDROP SCHEMA public;\nCREATE SCHEMA public;\n',
      '\nDROP SCHEMA public;\nCREATE SCHEMA public;\n',
    ],
    ['ALTER TABLE IF EXISTS ONLY public.p DROP CONSTRAINT IF EXISTS k;\n', '\n'],
    ['CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS a;\n', '\n\n\n'],
    [
      "UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = 't';\nDROP DATABASE t;\n",
      '\n\n',
    ],
    [
      'CREATE DATABASE "a b";\n\\encoding SQL_ASCII\n\\connect -reuse-previous=on "dbname=\'a b\'"\nALTER DATABASE "a b" SET x = 1;\n',
      '\n\n\n\n',
    ],
    [
      'CREATE DATABASE a;\n\\connect a\nALTER DATABASE a SET x = 1;\n\\connect a\nSELECT 1;\n',
      '\n\n\n\nSELECT 1;\n',
    ],
    ["COMMENT ON DATABASE x IS 'y';\nSELECT 1;\n", '\nSELECT 1;\n'],
  ])('%j', (sql, expected) => {
    expect(replayed(header + sql)).toBe(header + expected);
  });

  test.each([
    'CREATE TABLE a (); DROP TABLE a;\n',
    'GRANT SELECT ON TABLE public."x ON DATABASE y" TO app;\n',
    'SET SESSION AUTHORIZATION app;\n',
    'BEGIN;\nSELECT pg_catalog.lo_create(1);\nCOMMIT;\n',
  ])('but not %j', (sql) => {
    expect(replayed(header + sql)).toBe(header + sql);
  });
});

test('what psql does not see the end of, it is given inside a string', () => {
  const trap = 'CREATE FUNCTION f(begin integer) RETURNS integer BEGIN ATOMIC SELECT begin; END;';
  const given = replayed(`${header}${trap}\nSELECT 1;\n`);
  const wrapped = `DO $routine_outer$ BEGIN EXECUTE $routine$${trap}$routine$; END $routine_outer$;`;
  expect(given).toBe(`${header}${wrapped}\nSELECT 1;\n`);
});
