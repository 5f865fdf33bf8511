import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { nastyDatabase } from '../support/adversarial-database.ts';
import { oldScript, pollute } from '../support/old-script.ts';
import { dropLike, dump, temporaryDatabase } from '../support/server.ts';

const stamp = '20251129_140000';
const asTheScript = ['--no-owner', '--no-acl'];

/** A database whose rows and bodies say what pg_dump says. */
const talkative = `${nastyDatabase('aifinance')}
  CREATE TABLE first_row (line text);
  INSERT INTO first_row VALUES ('pg_dump: dumping contents of table "public.first_row"'), ('pg_dump: reading schemas');
  CREATE TABLE one (line text);
  INSERT INTO one SELECT CASE n % 3 WHEN 0 THEN 'pg_dump: processing data for table "public.one"'
    ELSE 'a line of its own, number ' || n END FROM generate_series(1, 3000) AS n;
  CREATE TABLE three (id integer, said text, by text);
  INSERT INTO three SELECT n, 'pg_dump: creating TABLE "public.three"', 'user' || n FROM generate_series(1, 3000) AS n;`;

/** Restores the backup of the old script beside the original; returns the dumps of both. */
async function restoreBeside(
  database: string,
  run: Awaited<ReturnType<typeof installation>>['run'],
) {
  const copy = `${database}_old`;
  onTestFinished(() => dropLike(copy));
  const restored = await run(['restore', stamp, '--yes', '--to', copy]);
  expect(restored.stderr).toContain('16 tables, 106,933 rows');
  expect(restored.exitCode).toBe(0);
  expect(await dump(copy, ...asTheScript)).toBe(await dump(database, ...asTheScript));
}

test('a backup of the old script is marked, verified and restored to what it was', async () => {
  const database = await temporaryDatabase(talkative);
  const { run, directory } = await installation(database);
  await oldScript(database, join(directory, `pratiko_backup_${stamp}.sql.gz`));

  const verified = await run(['verify', stamp]);
  expect(verified.stdout).toMatch(
    /good: 16 tables, 106,933 rows, .* \(made by the old script: \d+ progress messages inside; restorable\)/,
  );
  expect(verified.exitCode).toBe(0);
  expect((await run(['list'])).stdout).toContain('old script, unverified');
  await restoreBeside(database, run);
});

test('so is one of the old script with pg_dump 16, with messages in the middle of rows', async () => {
  const database = await temporaryDatabase(talkative);
  const { run, directory } = await installation(database);
  const clean = (await dump(database, ...asTheScript)).replace(
    /(Dumped by pg_dump version) \S+/,
    '$1 16.4',
  );
  const start = 'pg_dump: last built-in OID is 16383\npg_dump: reading schemas\n';
  const polluted = start + pollute(clean);
  expect(polluted).toMatch(/[a-z0-9]pg_dump: /); // somewhere inside a word
  await writeFile(
    join(directory, `pratiko_backup_${stamp}.sql.gz`),
    gzipSync(polluted.replaceAll('restrict KEY', 'restrict abc')),
  );
  await restoreBeside(database, run);
});

test('where a message may be data, nothing is guessed: verify and restore say the two readings', async () => {
  const database = await temporaryDatabase(
    "CREATE TABLE t AS SELECT 'a line'::text AS line FROM generate_series(1, 3000) AS n;",
  );
  const { run, directory } = await installation(database);
  const clean = (await dump(database)).replace(/(Dumped by pg_dump version) \S+/, '$1 16.4');
  const text = `pg_dump: reading schemas\n${clean.slice(0, 8192)}pg_dump: warning: of whom?\n${clean.slice(8192)}`;
  await writeFile(join(directory, `pratiko_backup_${stamp}.sql.gz`), gzipSync(text));

  const verified = await run(['verify', stamp]);
  expect(verified.exitCode).toBe(21);
  expect(verified.stderr).toContain(
    'at byte 8192 of the dump "pg_dump: warning: of whom?" is either a message of pg_dump',
  );
  const restored = await run(['restore', stamp, '--yes']);
  expect(restored.exitCode).toBe(22);
  expect(restored.stderr).toContain('or a part of the data (then it is');
});
