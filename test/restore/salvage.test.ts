import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { backedUp, handMade } from '../support/backed-up.ts';
import { databasesLike, sql } from '../support/server.ts';

const content = `
  CREATE TABLE a AS SELECT n, md5(n::text) AS text FROM generate_series(1, 500) AS n;
  CREATE TABLE b AS SELECT n, md5(n::text) AS text FROM generate_series(1, 30000) AS n;
  CREATE TABLE c AS SELECT 1 AS n;
  CREATE TABLE p (n integer) PARTITION BY LIST (n);`;

/** Salvages a backup after something has happened to it; returns the report and the new database. */
async function salvaged(damage: (made: Awaited<ReturnType<typeof backedUp>>) => Promise<unknown>) {
  const made = await backedUp(content);
  await damage(made);
  const { exitCode, stdout, stderr } = await made.run(['restore', '--salvage']);
  const [database, rescued = ''] = await databasesLike(made.database);
  expect(database).toBe(made.database);
  return { ...made, exitCode, stdout, stderr, rescued };
}

test('of a backup that was cut every whole row is rescued, and told table by table', async () => {
  const made = await salvaged(async ({ path, manifestPath }) => {
    await truncate(path, Math.floor((await readFile(path)).length / 2));
    await rm(manifestPath);
  });
  const [, rows = ''] = /public\.b +NOT WHOLE +cut after ([\d,]+) rows/.exec(made.stdout) ?? [];
  expect(Number(rows.replaceAll(',', ''))).toBeGreaterThan(10_000);
  expect(made.stdout).toMatch(/^public\.a +complete +500 rows\n/);
  expect(made.stdout).toMatch(/\npublic\.c +NOT WHOLE +absent\nwhat could be read is in database/);
  expect(made.stderr).toContain('the file is not good: truncated at byte');
  const { stdout } = await made.run(['list']);
  expect(stdout).toContain(`rescued from a damaged backup (--salvage) on `);
  expect(stdout).toContain(`"${made.rescued}"`);
  expect(made.exitCode).toBe(0);
  const check = 'SELECT count(*) FROM b WHERE text = md5(n::text); SELECT count(*) FROM a;';
  expect(await sql(made.rescued, check)).toBe(`${rows.replaceAll(',', '')}\n500`);
});

test('of one that is corrupt in the middle, what comes before', async () => {
  const made = await salvaged(async ({ path }) => {
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xff, middle, middle + 200);
    await writeFile(path, bytes);
  });
  expect(made.stdout).toMatch(/^public\.a +complete +500 rows\npublic\.b +NOT WHOLE/);
  expect(Number(await sql(made.rescued, 'SELECT count(*) FROM b;'))).toBeGreaterThan(10_000);
  expect(made.stderr).toMatch(/the file is not good: (corrupt gzip data|gzip checksum)/);
  expect(made.exitCode).toBe(0);
});

test('of a good one everything', async () => {
  const made = await salvaged(() => Promise.resolve());
  expect(made.stdout).toMatch(
    /^public\.a +complete +500 rows\npublic\.b +complete +30,000 rows\npublic\.c +complete +1 row\n/,
  );
  expect(made.exitCode).toBe(0);
});

test('of one in which the rows are INSERT statements, how many of each table', async () => {
  const made = await backedUp(content);
  const path = await handMade(
    made.directory,
    `CREATE TABLE public.a (n integer);\nINSERT INTO public.a VALUES (1), (2);\nINSERT INTO public.a VALUES (3);\nCREATE TABLE public.b (n integer);\n`,
  );
  const { stdout } = await made.run(['restore', '--salvage', path]);
  expect(stdout).toMatch(/^public\.a +by INSERT +3 rows\npublic\.b +NOT WHOLE +absent\n/);
});

test('of large objects those that are whole, although the file ends in their transaction', async () => {
  const made = await backedUp(
    'SELECT lo_from_bytea(n, convert_to(repeat(md5(n::text), 2000), $$UTF8$$)) FROM generate_series(100001, 100010) AS n;',
  );
  const text = gunzipSync(await readFile(made.path)).toString();
  await rm(made.manifestPath);
  await writeFile(made.path, gzipSync(text.slice(0, text.indexOf("lo_open('100008'") + 10_000)));
  const [rescued = ''] = (await made.run(['restore', '--salvage'])).stdout
    .split('\n')
    .map((line) => /in database "(.*?)"/.exec(line)?.[1])
    .filter((name) => name !== undefined);
  const whole = 'SELECT count(*) FROM pg_largeobject_metadata WHERE length(lo_get(oid)) = 64000;';
  expect(await sql(rescued, whole)).toBe('7');
});

test('random bytes and what is no dump end it, and nothing is left', async () => {
  const made = await backedUp(content);
  const path = join(made.directory, 'noise.sql');
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * 7919 + (n >> 3)) % 256));
  await writeFile(path, Buffer.concat([Buffer.from('SELECT 1;\nSELECT $$'), noise]));
  expect(await made.run(['restore', '--salvage', path])).toExitWith(22);
  await writeFile(path, 'PGDMP and so on');
  const { exitCode, stderr } = await made.run(['restore', '--salvage', path]);
  expect(stderr).toContain("it is a dump in pg_dump's custom format; hint: `pg_restore` reads it");
  expect(exitCode).toBe(21);
  expect(await databasesLike(made.database)).toEqual([made.database]);
});

test('of one without any data nothing, and nothing is left behind', async () => {
  const made = await backedUp(content);
  await truncate(made.path, 30);
  const { exitCode, stderr } = await made.run(['restore', '--salvage', made.path]);
  expect(stderr).toContain(`there is nothing to rescue in ${made.name}`);
  expect(exitCode).toBe(22);
  expect(await databasesLike(made.database)).toEqual([made.database]);
});

test('rows of a table that the server refused never become statements, and cost nothing but themselves', async () => {
  const made = await backedUp(content);
  const path = await handMade(
    made.directory,
    `SET client_min_messages = warning;
CREATE TABLE a (b no_such_type);
COPY a (b) FROM stdin;
SELECT 1; DROP DATABASE ${made.database}; SELECT 2;
it's here
\\.
\\N
CREATE TABLE c (d integer);
COPY c (d) FROM stdin;
1
2
\\.
INSERT INTO c VALUES (3);
`,
  );
  const { exitCode, stdout, stderr } = await made.run(['restore', '--salvage', path]);
  expect(stdout).toMatch(
    /^a +NOT WHOLE +the table could not be created, 2 rows in the file\nc +complete +2 rows\nc +by INSERT +1 row\n/,
  );
  expect(stderr).toContain('type "no_such_type" does not exist');
  expect(stderr).toContain('left out: it contains the psql command \\N');
  expect(exitCode).toBe(0);
  const [live, rescued = ''] = await databasesLike(made.database);
  expect(live).toBe(made.database);
  expect(await sql(rescued, 'SELECT sum(d) FROM c;')).toBe('6');
});
