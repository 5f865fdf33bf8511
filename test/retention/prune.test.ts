import { mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatStamp } from '../../src/backup-directory/names.ts';
import { installation } from '../support/cli.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { filesIn } from '../support/invariants.ts';

const day = 86_400_000;
const base = (age: number) => `pratiko_backup_${formatStamp(new Date(Date.now() - age * day))}`;

/** A backup of today, and copies of it with other ages; `ages` may be given as damaged. */
async function prepared(ages: readonly number[], damaged: readonly number[] = []) {
  const tool = await withOneBackup('CREATE TABLE t AS SELECT 1 AS a;');
  const newest = await readlink(join(tool.directory, 'pratiko_backup_latest.sql.gz'));
  const bytes = await readFile(join(tool.directory, newest));
  const manifest = await readFile(
    join(tool.directory, newest.replace('.sql.gz', '.manifest.json')),
  );
  const names = new Map(ages.map((age) => [age, base(age)]));
  for (const [age, name] of names) {
    const altered = Buffer.from(bytes);
    if (damaged.includes(age)) altered[20] = (altered[20] ?? 0) ^ 1;
    await writeFile(join(tool.directory, `${name}.sql.gz`), altered);
    await writeFile(join(tool.directory, `${name}.manifest.json`), manifest);
  }
  const left = async () => {
    const files = await filesIn(tool.directory);
    return ages.filter((age) => files.includes(`${names.get(age) ?? ''}.sql.gz`));
  };
  return { ...tool, newest, names, left };
}

test('what is older than the days goes with its manifest, the rest stays', async () => {
  const { run, left, directory, names } = await prepared([9, 8, 7, 6, 1]);
  const { exitCode, stdout } = await run(['prune']);
  expect(exitCode).toBe(0);
  expect(await left()).toEqual([6, 1]);
  expect(await filesIn(directory)).not.toContain(`${names.get(9) ?? ''}.manifest.json`);
  expect(stdout).toMatch(/removed 3 of 6 backups \([\d.]+ k?B\)$/);
});

test('--dry-run gives the reason for each and changes nothing', async () => {
  const { run, left, newest } = await prepared([9, 6, 1, -3]);
  const { stdout } = await run(['prune', '--dry-run']);
  const lines = stdout.split('\n');
  expect(lines).toHaveLength(6);
  expect(lines[0]).toMatch(
    /^remove {2}pratiko_backup_\S+ {2}9 days before the newest good backup, 3 newer ones are good$/,
  );
  expect(lines[1]).toMatch(/^keep {4}\S+ {2}6 days before the newest good backup, within 7 days$/);
  expect(lines[3]).toBe(`keep    ${newest}  latest points to it`);
  expect(lines[4]).toMatch(/dated in the future$/);
  expect(lines[5]).toMatch(/^would remove 1 of 5 backups/);
  expect(await left()).toEqual([9, 6, 1, -3]);
});

test('flags and settings change the policy', async () => {
  const { run, left } = await prepared([9, 6, 2, 1]);
  await run(['prune', '--retention-days', '30']);
  expect(await left()).toEqual([9, 6, 2, 1]);
  await run(['prune'], { env: { RETENTION_DAYS: '2', RETENTION_KEEP_MIN: '1' } });
  expect(await left()).toEqual([1]);
});

test('damaged files and files without manifest do not count as good', async () => {
  const { run, left, directory, names } = await prepared([40, 30, 20, 2, 1], [2]);
  await rm(join(directory, `${names.get(1) ?? ''}.manifest.json`));
  await run(['prune']);
  expect(await left()).toEqual([30, 20, 2, 1]);
});

test('only files with exactly the name of a backup are touched', async () => {
  const { run, directory } = await prepared([20, 19, 2, 1]);
  const strangers = [
    'pratiko_backup_20200101_000000.sql.gz.asc',
    'pratiko_backup_20200101.sql.gz',
    'notes.txt',
    'pratiko_backup_20201301_000000.sql.gz',
  ];
  for (const name of strangers) await writeFile(join(directory, name), 'mine');
  await mkdir(join(directory, 'pratiko_backup_20200102_000000.sql.gz'));
  await symlink('/etc/hostname', join(directory, 'pratiko_backup_20200103_000000.sql.gz'));

  const { stdout } = await run(['prune']);

  expect(stdout).toContain('removed 2 of 5 backups');
  expect(await filesIn(directory)).toEqual(
    expect.arrayContaining([
      ...strangers,
      'pratiko_backup_20200102_000000.sql.gz',
      'pratiko_backup_20200103_000000.sql.gz',
    ]),
  );
});

test('an empty directory has nothing to prune', async () => {
  const { run } = await installation('unused');
  expect(await run(['prune'])).toMatchObject({
    exitCode: 0,
    stdout: 'removed 0 of 0 backups (0 B)',
  });
});
