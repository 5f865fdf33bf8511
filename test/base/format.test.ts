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

test('counts and sizes', () => {
  expect(formatCount(1204)).toBe('1,204');
  expect(formatPlural(1, 'table')).toBe('1 table');
  expect(formatPlural(0, 'row')).toBe('0 rows');
  expect(formatBytes(3_145_728)).toBe('3.1 MB');
});

test.each([
  ['aifinance', 'aifinance'],
  ["it's", String.raw`'it'\''s'`],
  ['$(reboot)', "'$(reboot)'"],
  ['', "''"],
])('%j is for a shell %s', (word, text) => {
  expect(shellWord(word)).toBe(text);
});
