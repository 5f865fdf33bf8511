import { withoutKeys } from './access.ts';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkArchive } from '../../src/archive/reader.ts';
import { listBackups } from '../../src/backup-directory/catalog.ts';
import { readLatest } from '../../src/backup-directory/latest.ts';
import { formatStamp } from '../../src/backup-directory/names.ts';
import { sql } from './server.ts';

const day = 86_400_000;

/** Copies the latest backup and its manifest to other ages in days; gives the names of the copies. */
export async function copyToAges(directory: string, ages: readonly number[]): Promise<string[]> {
  const newest = await readlink(join(directory, 'pratiko_backup_latest.sql.gz'));
  const bytes = await readFile(join(directory, newest));
  const manifest = await readFile(join(directory, newest.replace('.sql.gz', '.manifest.json')));
  const names = ages.map(
    (age) => `pratiko_backup_${formatStamp(new Date(Date.now() - age * day))}`,
  );
  for (const name of names) {
    await writeFile(join(directory, `${name}.sql.gz`), bytes);
    await writeFile(join(directory, `${name}.manifest.json`), manifest);
  }
  return names.map((name) => `${name}.sql.gz`);
}

/** The names in a backup directory, without the history of what was done there and the page about recovery. */
export const filesIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter(
    (name) => !name.startsWith('pratiko_backup_history') && name !== 'RECOVERY.md',
  );

/**
 * What must hold at every instant: each file with a backup's name is whole, `latest` leads to one,
 * and these old backups are still there.
 */
export async function expectSound(directory: string, old: readonly string[] = []): Promise<void> {
  const backups = await listBackups(directory);
  for (const backup of backups) {
    const { defects } = await checkArchive(backup, withoutKeys);
    expect(defects, backup.name).toEqual([]);
  }
  const latest = await readLatest(directory);
  if (old.length > 0) expect(backups.map(({ name }) => name)).toContain(latest);
  expect(backups.map(({ name }) => name)).toEqual(expect.arrayContaining([...old]));
}

/** No file is left but backups, their manifests and the link. */
export async function expectTidy(directory: string): Promise<void> {
  const names = await readdir(directory);
  expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
  for (const name of names.filter((name) => name.endsWith('.manifest.json'))) {
    expect(names).toContain(name.replace('.manifest.json', '.sql.gz'));
  }
}

/** No child lives on: the server has no session of the tool in this database. */
export async function expectNoSessions(database: string): Promise<void> {
  const sessions = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}' AND application_name LIKE 'pratiko-backup%';`;
  await expect.poll(() => sql('postgres', sessions)).toBe('0');
}
