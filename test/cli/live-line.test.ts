import { expect, test } from 'vitest';
import { fit } from '../../src/cli/fit.ts';
import { liveLine } from '../../src/cli/live-line.ts';
import type { Step } from '../../src/base/step.ts';

test('a step is told with percent and table, then with its rate and the time left', () => {
  let now = 5000;
  const line = liveLine(() => now);
  const step = { what: 'loading', totalBytes: 1_000_000, table: 'public.t' };
  expect(line({ ...step, bytes: 1000, rows: 3 })).toBe('loading 0 %, 1 kB, public.t, 3 rows');
  now += 10_000;
  expect(line({ ...step, bytes: 251_000, rows: 1_204_000 })).toBe(
    'loading 25 %, 30 s left, 251 kB, 25 kB/s, public.t, 1,204,000 rows',
  );
});

test('the next step begins anew', () => {
  let now = 0;
  const line = liveLine(() => now);
  line({ what: 'dumping', bytes: 1 });
  now += 60_000;
  expect(line({ what: 'verifying', bytes: 10, totalBytes: 100 })).toBe('verifying 10 %, 10 B');
  now += 2000;
  expect(line({ what: 'verifying', bytes: 100, totalBytes: 100 })).toBe(
    'verifying 100 %, 100 B, 45 B/s',
  );
});

test.for<[Partial<Step>, string]>([
  [{}, 'dumping, 540 MB, public.t'],
  [{ totalBytes: 1_200_000_000, isEstimate: true }, 'dumping about 45 %, 540 MB, public.t'],
  [
    { totalBytes: 100_000_000, isEstimate: true },
    'dumping (more than the last backup), 540 MB, public.t',
  ],
  [{ bytes: 0, totalBytes: 0, table: undefined }, 'dumping'],
  [{ bytes: 0, table: undefined, left: 1204 }, 'dumping, 1,204 left'],
])('%o', ([step, line]) => {
  const known = { what: 'dumping', bytes: 540_000_000, table: 'public.t' };
  expect(liveLine(() => 0)({ ...known, ...step })).toBe(line);
});

test.for<[string, number, string]>([
  ['dumping, 540 MB', 20, 'dumping, 540 MB'],
  ['dumping, 540 MB', 15, 'dumping, 540 MB'],
  ['dumping, 540 MB', 14, 'dumping, 540 …'],
  ['読み込み中', 10, '読み込み中'],
  ['読み込み中', 9, '読み込み…'],
  ['読み込み中', 8, '読み込…'],
  ['a👩‍👩‍👧b', 4, 'a👩‍👩‍👧b'],
  ['a👩‍👩‍👧bc', 4, 'a👩‍👩‍👧…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%s in %d columns', ([line, columns, shown]) => {
  expect(fit(line, columns)).toBe(shown);
});
