import { chmod, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findTool } from '../../../src/postgres/tools.ts';
import { backedUp } from '../../support/backed-up.ts';
import { nastyDatabase } from '../../support/adversarial-database.ts';
import { installation, temporaryDirectory } from '../../support/cli.ts';
import { ordinaryUser, temporaryRole } from '../../support/roles.ts';
import { databasesLike, sql, temporaryDatabase } from '../../support/server.ts';
import { oldScript } from '../../support/old-script.ts';

const search = {
  binDir: undefined,
  environment: { PATH: process.env.PATH ?? '' },
  signal: new AbortController().signal,
};

/** A PG_BIN_DIR whose pg_dump first changes the database that it dumps. */
async function changing(statements: string): Promise<Record<string, string>> {
  const directory = await temporaryDirectory();
  const [psql, pgDump] = [await findTool('psql', search), await findTool('pg_dump', search)];
  await symlink(psql.path, join(directory, 'psql'));
  await writeFile(join(directory, 'change.sql'), statements);
  await writeFile(
    join(directory, 'pg_dump'),
    `#!/bin/sh
if [ "$1" != --version ]; then
  ${psql.path} -X -q -v ON_ERROR_STOP=1 -f ${directory}/change.sql >&2 || exit 9
fi
exec ${pgDump.path} "$@"\n`,
    { mode: 0o755 },
  );
  return { PG_BIN_DIR: directory };
}

const history = async (directory: string) =>
  (await readFile(join(directory, 'pratiko_backup_history.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const everything = `
  CREATE TABLE documents (id serial PRIMARY KEY, title varchar(80) CHECK (title IN ('a', 'b', 'c')), body text);
  INSERT INTO documents (title, body) SELECT (ARRAY['a','b','c'])[1 + i % 3], repeat(i::text, 30) FROM generate_series(1, 500) AS i;
  CREATE INDEX documents_title ON documents (title);
  CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';
  CREATE VIEW short AS SELECT id FROM documents WHERE title IN ('a', 'b') AND length(body) < 40;
  SELECT lo_from_bytea(4242, decode(repeat('ab', 5000), 'hex')), lo_create(4343);`;

describe('a backup that comes back', () => {
  test('is proven, recorded, and leaves nothing on the server', async () => {
    const role = await temporaryRole();
    const { database, directory, run, name } = await backedUp(nastyDatabase(role));

    const drill = await run(['verify', '--restore']);

    expect(drill.stdout).toMatch(/proven: restored and compared.*\n.*statement by statement/);
    expect(drill).toExitWith(0);
    expect(await databasesLike(database)).toEqual([database]);
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'passed', backup: name, place: 'server' }),
    );
  });

  test('is proven where the server writes casts in another way each time', async () => {
    const { run } = await backedUp(everything);
    expect(await run(['verify', '--restore', '--jobs', '1'])).toExitWith(0);
  });

  test('is proven in a throw-away cluster, with the roles that it needs', async () => {
    const role = await temporaryRole();
    const { run, env } = await backedUp(nastyDatabase(role));
    const temporary = await temporaryDirectory();
    const unreachable = { ...env, POSTGRES_PORT: '1', TMPDIR: temporary };
    await chmod(temporary, 0o755);

    const drill = await run(['verify', '--restore', '--sandbox', '--json'], { env: unreachable });

    expect(drill).toExitWith(0);
    expect(JSON.parse(drill.stdout)).toMatchObject({
      good: true,
      place: 'sandbox',
      differences: [],
      definitionsBy: 'statement',
      notCompared: [],
    });
    expect(await readdir(temporary)).toEqual([]);
  });

  test('made by the old script is compared without owners', async () => {
    const { database, directory, run } = await backedUp(everything);
    const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
    await oldScript(database, path);
    expect(await run(['verify', '--restore', path])).toExitWith(0);
  });
});

describe('what does not come back as it is', () => {
  test.each([
    [
      'a row is missing',
      'DELETE FROM documents WHERE id = 7',
      'table public.documents has 499 rows instead of 500 rows',
    ],
    [
      'a row was changed',
      "UPDATE documents SET body = 'x' WHERE id = 7",
      'table public.documents has as many rows (500 rows), but not the same',
    ],
    [
      'a row came twice',
      'INSERT INTO documents SELECT 501, title, body FROM documents WHERE id = 7',
      'table public.documents has 501 rows instead of 500 rows',
    ],
    [
      'one row came twice, another not at all',
      'DELETE FROM documents WHERE id = 8; ALTER TABLE documents DROP CONSTRAINT documents_pkey; INSERT INTO documents SELECT * FROM documents WHERE id = 7',
      'table public.documents has as many rows (500 rows), but not the same',
    ],
    [
      'an index is missing',
      'DROP INDEX documents_title',
      'INDEX public.documents_title is missing',
    ],
    [
      'a sequence is behind',
      "SELECT setval('documents_id_seq', 10)",
      'sequence public.documents_id_seq is at 10 instead of 500',
    ],
    [
      'a table is missing',
      'DROP TABLE documents CASCADE',
      'table public.documents is missing (500 rows)',
    ],
    [
      'a function was changed',
      "CREATE OR REPLACE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 43'",
      'FUNCTION public.answer() is not the same',
    ],
    [
      'a large object was changed',
      "SELECT lo_put(4242, 0, '\\xff')",
      'the large objects (2) do not hold the same data',
    ],
    [
      'a large object is missing',
      'SELECT lo_unlink(4343)',
      'there are 1 large object instead of 2 large objects',
    ],
    [
      'a check is gone',
      'ALTER TABLE documents DROP CONSTRAINT documents_title_check',
      'TABLE public.documents is not the same',
    ],
    [
      'a view was changed',
      'CREATE OR REPLACE VIEW short AS SELECT id FROM documents',
      'VIEW public.short is not the same',
    ],
    [
      'a table is too much',
      'CREATE TABLE extra ()',
      'TABLE public.extra is there, which the backup does not have',
    ],
  ])('%s', async (_, change, difference) => {
    const { database, directory, run, name } = await backedUp(everything);

    const drill = await run(['verify', '--restore'], { env: await changing(`${change};`) });

    expect(drill.stdout).toContain(difference);
    expect(drill.stderr).toContain(difference);
    expect(drill).toExitWith(21);
    expect(await databasesLike(database)).toEqual([database]);
    const message: unknown = expect.stringContaining(difference);
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'failed', backup: name, message }),
    );
  });
});
