import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { temporaryDatabase } from '../support/server.ts';

test('each backup stands with its time, age, size, content, state, and the latest is marked', async () => {
  const database = await temporaryDatabase('CREATE TABLE t AS SELECT generate_series(1, 1204);');
  const { run, directory } = await installation(database);
  await run(['backup']);
  const name = await readlink(join(directory, 'pratiko_backup_latest.sql.gz'));
  const bytes = await readFile(join(directory, name));
  await writeFile(join(directory, 'pratiko_backup_20250101_020000.sql.gz'), bytes);
  await writeFile(join(directory, 'pratiko_backup_20250102_020000.sql.gz'), '');
  await writeFile(join(directory, 'stranger.sql.gz'), '');

  const { exitCode, stdout } = await run(['list']);

  expect(exitCode).toBe(0);
  const [header, third, second, first, total, ...rest] = stdout.split('\n');
  expect(header).toMatch(/^TIME +AGE +SIZE +TABLES +ROWS +TOOK +STATE +RESTORED +NAME$/);
  expect(first).toMatch(
    /^2025-01-01 02:00:00 +\d+ days +[\d.]+ k?B +\? +\? +\? +unverified +- +pratiko_backup_20250101_020000\.sql\.gz$/,
  );
  expect(second).toMatch(/0 B +\? +\? +\? +DAMAGED +- +pratiko_backup_20250102_020000\.sql\.gz$/);
  expect(third).toMatch(
    new RegExp(`moments +[\\d.]+ k?B +1 +1,204 +[\\d.]+ s +verified +- +${name} {2}<- latest$`),
  );
  expect(total).toMatch(new RegExp(`^3 backups, [\\d.]+ kB in ${directory}$`));
  // What other tests have kept on the server just now stands there too.
  expect(rest.filter((line) => !line.startsWith('kept by an earlier restore'))).toEqual([]);
});

test('--json gives one object with everything', async () => {
  const { run, directory } = await installation(await temporaryDatabase());
  await run(['backup']);
  const { stdout } = await run(['list', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    directory,
    backups: [{ tables: 0, rows: 0, state: 'verified', isLatest: true }],
  });
});

test('where there are none, it says where it looked', async () => {
  const { run, directory } = await installation('unused');
  const { exitCode, stdout } = await run(['list']);
  expect(stdout.split('\n')[0]).toBe(`no backups in ${directory}`);
  expect(exitCode).toBe(0);
  const missing = join(directory, 'missing');
  for (const args of [['list'], ['verify'], ['prune'], ['restore', '--yes']]) {
    const { exitCode, stderr } = await run([...args, '--backup-dir', missing]);
    expect(stderr).toContain(`there is no backup directory ${missing}; hint: mount its disk`);
    expect(exitCode).toBe(14);
  }
  expect(await readdir(directory)).toEqual([]); // looking creates nothing
});
