import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { sql } from '../support/server.ts';

/** Two backups: the second after the loss of what the incident cost. */
async function beforeAndAfter() {
  const made = await backedUp(
    `CREATE EXTENSION pg_trgm;
     CREATE TABLE knowledge_items AS SELECT n, repeat('x', 100) AS body FROM generate_series(1, 31) AS n;
     CREATE TABLE logs AS SELECT generate_series(1, 5000) AS n; CREATE TABLE gone AS SELECT 1 AS a;
     CREATE TABLE same AS SELECT generate_series(1, 7) AS a;`,
  );
  await sql(
    made.database,
    'TRUNCATE knowledge_items; INSERT INTO logs VALUES (0); DROP TABLE gone; UPDATE same SET a = 8 WHERE a = 7; CREATE TABLE fresh ();',
  );
  await sleep(1000); // the next name
  const second = await made.run(['backup', '--json']);
  expect(second).toExitWith(0);
  const { backup } = JSON.parse(second.stdout) as { backup: string };
  return { ...made, first: made.name, second: backup, log: second.stderr };
}

const loss = (name: string) =>
  `public.knowledge_items has 0 rows (31 in ${name}), public.gone is gone (1 in ${name})`;

describe('what is inside', () => {
  test('is shown of one backup, with what has changed since the one before', async () => {
    const { run, first, second } = await beforeAndAfter();

    const { stdout, exitCode } = await run(['list', 'latest']);

    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toBe(second);
    expect(stdout).toMatch(/extensions +pg_trgm\n/);
    expect(stdout).toMatch(/roles +\w+/);
    expect(stdout).toMatch(/PostgreSQL +\d+\.\d+/);
    expect(stdout).toMatch(/public\.knowledge_items +0 +0 B +31 → 0 {2}LOST\n/);
    expect(stdout).toMatch(/public\.gone +1 → gone {2}LOST\n/);
    expect(stdout).toMatch(/public\.logs +5,001 +[\d.]+ kB +5,000 → 5,001\n/);
    expect(stdout).toMatch(/public\.fresh +0 +0 B +new\n/);
    expect(stdout).toMatch(/public\.same +7 +14 B\n/);
    expect(stdout).toContain(`before: ${first}, 5,039 rows`);
  });

  test('is read from the file where its manifest does not tell it, and as JSON is the same', async () => {
    const { run, directory, second } = await beforeAndAfter();
    const known = JSON.parse((await run(['list', 'latest', '--json'])).stdout) as object;
    const path = join(directory, second.replace('.sql.gz', '.manifest.json'));
    const { extensions, ...older } = JSON.parse(await readFile(path, 'utf8')) as {
      extensions: string[];
      tables: { table: string; rows: number }[];
    };
    const tables = older.tables.map(({ table, rows }) => ({ table, rows }));
    await writeFile(path, JSON.stringify({ ...older, tables }));
    expect(JSON.parse((await run(['list', 'latest', '--json'])).stdout)).toEqual(known);
    expect(extensions).toEqual(['pg_trgm']);
  });

  test('of a damaged one is what could be read, with a warning', async () => {
    const { run, path, name } = await backedUp();
    const bytes = await readFile(path);
    await writeFile(path.replace(/\d{8}_/, '20250101_'), bytes.subarray(0, bytes.length - 900));
    const { stdout, stderr, exitCode } = await run(['list', '20250101']);
    expect(stderr).toContain('is not good: ');
    expect(stdout).toContain(name.replace(/\d{8}_/, '20250101_'));
    expect(exitCode).toBe(0);
    expect(await run(['list', '19990101'])).toExitWith(10);
  });
});

describe('diff', () => {
  test('tells the tables with other numbers of rows, and with --content those with other rows', async () => {
    const { run, first, second } = await beforeAndAfter();
    const stamps = [first, second].map((name) => name.slice(15, 30));

    const counted = await run(['diff', ...stamps]);
    expect(counted).toExitWith(0);
    expect(counted.stdout).toMatch(/public\.knowledge_items +31 → 0 {2}LOST\n/);
    expect(counted.stdout).not.toContain('public.same');
    expect(counted.stdout).toContain('1 table has as many rows (--content compares them)');

    const read = await run(['diff', ...stamps, '--content']);
    expect(read.stdout).toMatch(/public\.same +7 rows, not the same\n0 tables have the same rows$/);
    const backwards = await run(['diff', ...stamps.toReversed(), '--content', '--json']);
    expect(JSON.parse(backwards.stdout)).toMatchObject({
      before: { name: second, rows: 5008 },
      now: { name: first, rows: 5039 },
      differing: ['public.knowledge_items', 'public.logs', 'public.same'],
    });
  });

  test('of one with itself is empty; one that is not good cannot be compared', async () => {
    const { run, path } = await backedUp();
    const same = await run(['diff', 'latest', 'latest', '--content']);
    expect(same.stdout).toMatch(/\n1 table has the same rows$/);
    await writeFile(path, (await readFile(path)).subarray(0, 800));
    const damaged = await run(['diff', 'latest', 'latest', '--content']);
    expect(damaged.stderr).toContain('its rows cannot be compared');
    expect(damaged).toExitWith(21);
    expect(await run(['diff', 'latest'])).toExitWith(2);
  });
});

describe('a backup that looks wrong beside the one before', () => {
  test('is kept and marked, until a person says that nothing is missing', async () => {
    const { run, first, second, log } = await beforeAndAfter();
    expect(log).toContain(`WARN: ${loss(first)}`);

    const listed = await run(['list']);
    expect(listed.stdout).toMatch(new RegExp(`verified, LOOK +- +${second} {2}<- latest`));
    expect(listed.stdout).toContain(`LOOK at ${second}: ${loss(first)}`);
    const { backups } = JSON.parse((await run(['list', '--json'])).stdout) as {
      backups: { suspicion: string | null }[];
    };
    expect(backups.map(({ suspicion }) => suspicion)).toEqual([loss(first), null]);

    expect(await run(['prune', '--accept-loss', '--yes'])).toExitWith(0);
    expect((await run(['list'])).stdout).not.toContain('LOOK');
  });

  test.each([
    ['30', true],
    ['50', false],
  ])('SUSPICIOUS_DROP=%s decides from when on', async (percent, isTold) => {
    const { run, database } = await backedUp(
      'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;',
    );
    await sql(database, 'DELETE FROM t WHERE a > 600;');
    await sleep(1000);
    const { stderr } = await run(['backup'], { env: { SUSPICIOUS_DROP: percent } });
    expect(stderr.includes('it holds 600 rows')).toBe(isTold);
    const listed = await run(['list'], { env: { SUSPICIOUS_DROP: percent } });
    expect(listed.stdout.includes('LOOK')).toBe(isTold);
    const pruned = await run(['prune', '--dry-run'], { env: { SUSPICIOUS_DROP: percent } });
    expect(pruned.stdout.includes('holds what was lost since')).toBe(isTold);
  });

  test('what has no rows counts by its size: large objects, texts that were emptied', async () => {
    const { run, database } = await backedUp(
      "CREATE TABLE t AS SELECT n, repeat('y', 2000) AS body FROM generate_series(1, 50) AS n; SELECT lo_from_bytea(0, decode(repeat('ab', 50000), 'hex'));",
    );
    await sql(
      database,
      "UPDATE t SET body = ''; SELECT lo_unlink(oid) FROM pg_largeobject_metadata;",
    );
    await sleep(1000);
    const { stderr } = await run(['backup']);
    expect(stderr).toMatch(/WARN: it is [\d.]+ kB of SQL; pratiko_backup_\S+ was 2\d\d(\.\d)? kB/);
  });
});

test('where it goes is drawn: the size and rows of the last backups', async () => {
  const { run } = await beforeAndAfter();
  expect((await run(['list'])).stdout).toMatch(/^trend: size █[▁-█] rows ██, the last 2 backups$/m);
});
