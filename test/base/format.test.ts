import { expect, test } from 'vitest';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
  shellWord,
} from '../../src/base/format.ts';

test.each([
  [0, '0.0 s'],
  [1234, '1.2 s'],
  [9_960, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min 0 s'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  [0, 'moments'],
  [61_000, '1 minute'],
  [7_199_000, '119 minutes'],
  [7_200_000, '2 hours'],
  [172_800_000, '2 days'],
])('%d ms ago was %s ago', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1204, '1,204'],
  [3_100_003, '3,100,003'],
  [-1204, '-1,204'],
])('%d is written %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test('one is not many', () => {
  expect(formatPlural(1, 'table')).toBe('1 table');
  expect(formatPlural(0, 'row')).toBe('0 rows');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1950, '1.9 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1 MB'],
  [3_145_728, '3.1 MB'],
  [52_100_000_000, '52.1 GB'],
  [Number.MAX_SAFE_INTEGER, '9 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  ['aifinance', 'aifinance'],
  ["it's", String.raw`'it'\''s'`],
  ['$(reboot)', "'$(reboot)'"],
  ['', "''"],
])('%j is for a shell %s', (word, text) => {
  expect(shellWord(word)).toBe(text);
});
