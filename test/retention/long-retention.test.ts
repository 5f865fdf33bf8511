import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatStamp, momentOf, parseStamp } from '../../src/backup-directory/names.ts';
import { backedUp } from '../support/backed-up.ts';

/** Copies of the only backup with these stamps, old ones by their manifests, too. */
async function withHistory(...stamps: string[]) {
  const made = await backedUp();
  const [bytes, manifest] = [await readFile(made.path), await readFile(made.manifestPath, 'utf8')];
  for (const text of stamps) {
    const stamp = parseStamp(text);
    if (stamp === undefined) throw new Error(text);
    const createdAt = momentOf(stamp).toISOString();
    const aged = manifest.replace(/"createdAt": "[^"]*"/, `"createdAt": "${createdAt}"`);
    await writeFile(join(made.directory, `pratiko_backup_${text}.sql.gz`), bytes);
    await writeFile(join(made.directory, `pratiko_backup_${text}.manifest.json`), aged);
  }
  const left = async () =>
    (await readdir(made.directory)).flatMap(
      (name) => /_(\d{8})_\d{6}\.sql\.gz$/.exec(name)?.[1] ?? [],
    );
  return { ...made, left, bytes };
}

/** Without it, nothing confirms that the clock has not jumped. */
const yesterday = formatStamp(new Date(Date.now() - 86_400_000));

const env = {
  RETENTION_DAYS: '2',
  RETENTION_KEEP_MIN: '1',
  RETENTION_MONTHS: '4',
  RETENTION_WEEKS: '1',
};

test('the newest good backup of each month remains; a dry run tells which slot keeps which file', async () => {
  const { run, left } = await withHistory(
    '20250110_020000',
    '20250120_020000',
    '20250210_020000',
    '20250215_020000',
    '20250216_020000',
    yesterday,
  );
  const dry = await run(['prune', '--dry-run'], { env });
  expect(dry.stdout).toMatch(/^keep +\S+20250120_020000\S+ +newest good backup of month 2025-01$/m);
  expect(dry.stdout).toMatch(/^remove +\S+20250110_020000/m);
  expect(dry.stdout).toMatch(/^keep +\S+20250216_020000\S+ +newest good backup of month 2025-02$/m);
  expect(await left()).toHaveLength(7);

  expect(await run(['prune'], { env })).toExitWith(0);
  expect((await left()).filter((day) => day < '2026')).toEqual(['20250120', '20250216']);
  const none = { ...env, RETENTION_MONTHS: '0' };
  expect(await run(['prune'], { env: none })).toExitWith(0);
  expect((await left()).filter((day) => day < '2026')).toEqual([]);
});

test('one that was damaged does not stand for its month: the one before stays', async () => {
  const { run, left, directory, bytes } = await withHistory(
    '20250210_020000',
    '20250215_020000',
    '20250216_020000',
    yesterday,
  );
  const flipped = Buffer.from(bytes);
  flipped[40] = 0xff ^ (bytes[40] ?? 0);
  await writeFile(join(directory, 'pratiko_backup_20250216_020000.sql.gz'), flipped);
  expect(await run(['prune'], { env })).toExitWith(0);
  expect((await left()).filter((day) => day < '2026')).toEqual(['20250215']);
});

test.each([
  ['RETENTION_WEEKS', '-1'],
  ['RETENTION_MONTHS', 'many'],
  ['RETENTION_YEARS', '101'],
])('%s=%s is refused', async (variable, value) => {
  const { run } = await backedUp();
  const { stderr, exitCode } = await run(['prune', '--dry-run'], { env: { [variable]: value } });
  expect(stderr).toContain(`${variable} in the environment is "${value}"`);
  expect(exitCode).toBe(2);
});
