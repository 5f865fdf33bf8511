import { expect, test } from 'vitest';
import { describe as describeBackup } from '../../../src/commands/backup.ts';
import { progressOf } from '../../../src/commands/restore/progress.ts';

test('progress tells percent and table, then rate and the time left', () => {
  let now = 5000;
  const describe = progressOf(() => now);
  const begun = describe({ readBytes: 1, totalBytes: 1000, table: 'public.t', rows: 3 });
  expect(begun).toBe('loading 0 %, public.t, 3 rows');
  now += 10_000;
  const line = describe({ readBytes: 250, totalBytes: 1000, table: 'public.t', rows: 1_204_000 });
  expect(line).toBe('loading 25 %, public.t, 1,204,000 rows, 120,400 rows/s, 30 s left');
});

test('and at the end of the file, what still takes time', () => {
  const line = progressOf()({ readBytes: 1000, totalBytes: 1000, table: undefined, rows: 1204 });
  expect(line).toBe('the file is read, 1,204 rows; finishing: indexes, constraints');
});

test.each([
  [undefined, 'dumping 540 MB, public.t'],
  [1_200_000_000, 'dumping 540 MB, about 45 %, public.t'],
  [100_000_000, 'dumping 540 MB, more than the last backup, public.t'],
])('a backup tells how much of %s bytes it has done', (totalBytes, line) => {
  const progress = { phase: 'dumping', bytes: 540_000_000, totalBytes, table: 'public.t' } as const;
  expect(describeBackup(progress)).toBe(line);
});
