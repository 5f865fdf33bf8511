import { linkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDraft, discardDraft } from '../../src/backup-directory/draft.ts';
import {
  dayOf,
  formatBackupName,
  formatStamp,
  parseStamp,
} from '../../src/backup-directory/names.ts';
import { bin, temporaryDirectory } from '../support/cli.ts';
import { prepared, withOneBackup } from '../support/aged-backups.ts';
import { copyToAges, expectSound, filesIn } from '../support/invariants.ts';

const signal = new AbortController().signal;

/** Runs the tool as if so much time had passed. */
async function runAt(
  shiftMs: number,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const shift = `const now = Date.now; Date = class extends Date { constructor(...a) { a.length ? super(...a) : super(now() + ${shiftMs}); } static now() { return now() + ${shiftMs}; } };`;
  const words = [
    '--import',
    `data:text/javascript,${encodeURIComponent(shift)}`,
    bin,
    '--env-file',
    '/dev/null',
    ...args,
  ];
  return execa(process.execPath, words, { env, extendEnv: false, reject: false });
}

const day = 86_400_000;

test('a second that is taken is waited for, and nothing is overwritten', async () => {
  const directory = await temporaryDirectory();
  const second = new Date(2025, 10, 29, 2, 0, 0);
  const taken = formatBackupName({ stamp: formatStamp(second), encryption: undefined });
  await writeFile(join(directory, taken), 'whole');
  let asked = 0;
  const now = () => new Date(second.getTime() + (asked++ < 3 ? 0 : 1000));

  const draft = await createDraft(directory, undefined, now, signal);

  expect(asked).toBeGreaterThan(3);
  expect(draft.stamp).toBe('20251129_020001');
  expect(await discardDraft(draft, { warn: () => undefined } as never)).toBe(true);
  expect(await filesIn(directory)).toEqual([taken]);
});

test('in the hour that happens twice, both backups get a name and a day', () => {
  vi.stubEnv('TZ', 'Europe/Rome');
  onTestFinished(() => void vi.unstubAllEnvs());
  const first = formatStamp(new Date('2025-10-26T00:30:00Z'));
  const second = formatStamp(new Date('2025-10-26T01:30:00Z'));
  expect(first).toBe('20251026_023000');
  expect(second).toBe(first); // the second of them waits for the next second, as above
  expect(dayOf(first)).toBe(dayOf(formatStamp(new Date('2025-10-25T22:30:00Z'))));
});

test('two backups in one second are two files', async () => {
  const { env, directory, run } = await withOneBackup('CREATE TABLE t (a integer);');
  await Promise.all([1, 2, 3].map(() => runAt(0, ['backup', '--wait', '60'], env)));
  expect((await filesIn(directory)).filter((name) => parseStamp(name.slice(15, 30)))).toHaveLength(
    8,
  );
  expect(await run(['verify', '--all'])).toExitWith(0);
});

describe('a clock that is wrong', () => {
  test('set back a month: the backup is made, nothing is removed', async () => {
    const { env, directory, young } = await prepared();
    const { exitCode, stderr } = await runAt(-30 * day, ['backup'], env);
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('removed');
    await expectSound(directory, young);
  });

  test('set forward a year: one more day of backups goes, no more', async () => {
    const { env, directory, run } = await prepared();
    const [, ...old] = await copyToAges(directory, [6, 5, 4]);
    const { exitCode } = await runAt(365 * day, ['backup'], env);
    expect(exitCode).toBe(0);
    await expectSound(directory, old);
    const again = await run(['prune', '--dry-run']);
    expect(again.stdout).toContain('dated in the future');
  });

  test('files of the future neither go nor save others', async () => {
    const { env, directory, run, young } = await prepared();
    const future = await copyToAges(directory, [-400, -30, -2]);
    await run(['prune']);
    await expectSound(directory, [...young, ...future]);
    expect((await runAt(0, ['list'], env)).stdout).toContain('in the future');
  });
});

describe('backups stopped for weeks, then one succeeds', () => {
  test('the minimum of good ones remains', async () => {
    const { directory, run } = await withOneBackup('CREATE TABLE t (a integer);');
    const [, , , newest = ''] = await copyToAges(directory, [40, 39, 38, 37]);
    await run(['backup']);
    await expectSound(directory, [newest]);
    expect((await filesIn(directory)).filter((name) => /\d\.sql\.gz$/.test(name))).toHaveLength(3);
  });

  test('bad and unverified files do not count as good', async () => {
    const { directory, run } = await withOneBackup('CREATE TABLE t (a integer);');
    const good = await copyToAges(directory, [50, 45, 40]);
    for (const age of [30, 29, 28]) {
      const stamp = formatStamp(new Date(Date.now() - age * day));
      await writeFile(
        join(directory, formatBackupName({ stamp, encryption: undefined })),
        'not a backup',
      );
    }
    await run(['prune', '--keep-min', '4']);
    expect(await filesIn(directory)).toEqual(expect.arrayContaining(good));
  });
});

test('a day is the same in every time zone', () => {
  const stamp = parseStamp('20251026_023000');
  expect(stamp && dayOf(stamp)).toBe(Date.UTC(2025, 9, 26) / day);
});

test('a hundred thousand files, near misses, folders and links: only ours are seen', async () => {
  const { directory, run } = await withOneBackup('CREATE TABLE t (a integer);');
  for (const suffix of ['bak', 'asc']) {
    // Links to one file: to make so many files takes long.
    const path = (n: number) =>
      join(directory, `pratiko_backup_20250101_${String(n).padStart(6, '0')}.sql.gz.${suffix}`);
    await writeFile(path(0), '');
    for (let n = 1; n < 50_000; n += 1) linkSync(path(0), path(n));
  }
  await mkdir(join(directory, 'pratiko_backup_20250101_000000.sql.gz'));
  const listed = JSON.parse((await run(['list', '--json'])).stdout) as { backups: unknown[] };
  expect(listed.backups).toHaveLength(1);
  await run(['prune', '--retention-days', '1']);
  await run(['backup']);
  expect((await filesIn(directory)).length).toBeGreaterThan(100_000);
});
