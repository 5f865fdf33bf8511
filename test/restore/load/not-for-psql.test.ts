import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { backedUp } from '../../support/backed-up.ts';
import { fakePgDump } from '../../support/fake-tool.ts';
import { sql } from '../../support/server.ts';

/** psql cannot send them as they are, either. */
const routines = `
  CREATE TABLE t (begin integer, b integer);
  INSERT INTO t SELECT n, n FROM generate_series(1, 100) AS n;
  DO $$ BEGIN
    EXECUTE 'CREATE FUNCTION f(begin integer) RETURNS integer BEGIN ATOMIC SELECT begin; END';
    EXECUTE 'CREATE FUNCTION begin() RETURNS integer RETURN 4';
    EXECUTE 'CREATE PROCEDURE p(begin integer) BEGIN ATOMIC
      INSERT INTO t SELECT p.begin, CASE WHEN count(*) > 0 THEN 1 END FROM t; END';
    EXECUTE 'CREATE FUNCTION fine() RETURNS integer BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END';
  END $$;
  CREATE VIEW v AS SELECT begin, CASE WHEN begin > 3 THEN 1 END AS x FROM t;`;

describe('what psql does not see the end of', () => {
  test.each([['1'], ['3']])('is backed up, said, and restored with --jobs %s', async (jobs) => {
    const made = await backedUp(routines);
    const { stderr } = await made.run(['backup']);
    expect(stderr).toContain(
      'psql cannot read FUNCTION public.begin(), FUNCTION public.f(integer), PROCEDURE public.p(integer): it takes',
    );
    const before = gunzipSync(await readFile(made.path)).toString();
    await sql(made.database, 'DROP TABLE t CASCADE;');
    expect(await made.run(['restore', made.path, '--yes', '--jobs', jobs])).toExitWith(0);
    expect(await made.run(['backup'])).toExitWith(0);
    const latest = await readlink(join(made.directory, 'pratiko_backup_latest.sql.gz'));
    const after = gunzipSync(await readFile(join(made.directory, latest))).toString();
    const withoutKey = (text: string) => text.replaceAll(/^\\(un)?restrict .*$/gm, '');
    expect(withoutKey(after)).toBe(withoutKey(before));
  });
});

test('a whole dump that our reader does not understand is kept, and says what to do with it', async () => {
  const made = await backedUp();
  const text = gunzipSync(await readFile(made.path)).toString();
  const file = join(made.directory, 'strange.sql');
  await writeFile(file, text.replace('CREATE TABLE', "SELECT 'never closed;\n\nCREATE TABLE"));
  const bin = await fakePgDump(`cat '${file}'`);
  const backup = await made.run(['backup'], { env: { PG_BIN_DIR: bin } });
  expect(backup.stderr).toContain(
    'pg_dump wrote a whole dump that this tool does not understand (the dump was cut inside a statement)',
  );
  expect(backup).toExitWith(0);
  expect(await made.run(['verify'])).toExitWith(0);
  const restore = await made.run(['restore', '--yes']);
  expect(restore.stderr).toMatch(
    /the backup is whole, but this tool does not understand it .*hint: try with psql, into a new database: gunzip -c \S+\.sql\.gz \| psql/,
  );
  expect(restore).toExitWith(22);
  // Cut where it lies, it is no longer what was written.
  const latest = join(
    made.directory,
    await readlink(join(made.directory, 'pratiko_backup_latest.sql.gz')),
  );
  await writeFile(latest, (await readFile(latest)).subarray(0, -40));
  expect(await made.run(['verify'])).toExitWith(21);
});
