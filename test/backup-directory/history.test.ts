import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from '../../src/base/log.ts';
import { readHistory, recordEvent, shortenHistory } from '../../src/backup-directory/history.ts';
import type { CopyEvent, HistoryEvent } from '../../src/backup-directory/history-event.ts';
import { temporaryDirectory } from '../support/cli.ts';

const said: string[] = [];
const log = createLog({
  show: (text) => text,
  level: 'info',
  format: 'json',
  terminal: false,
  color: false,
  write: (line) => void said.push(line),
});

const event = (second: number): HistoryEvent => ({
  at: new Date(second * 1000).toISOString(),
  event: 'verify',
  outcome: 'good',
  backup: 'pratiko_backup_20251129_020000.sql.gz',
});

const name = 'pratiko_backup_history.jsonl';

test('gives back what was recorded, in order, in a file of its owner alone', async () => {
  const directory = await temporaryDirectory();
  expect(await readHistory(directory)).toEqual([]);
  for (const second of [1, 2, 3]) await recordEvent(directory, event(second), log);
  expect(await readHistory(directory)).toEqual([event(1), event(2), event(3)]);
  expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
});

test('a last line that was cut costs no other one', async () => {
  const directory = await temporaryDirectory();
  await recordEvent(directory, event(1), log);
  await appendFile(join(directory, name), '{"at":"2025-11-29T02:0');
  await recordEvent(directory, event(2), log);
  expect(await readHistory(directory)).toEqual([event(1), event(2)]);
});

test('passes over what makes no sense', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, name), '\0\0\0\n[]\n{"event":"teleported"}\n');
  await recordEvent(directory, event(1), log);
  expect(await readHistory(directory)).toEqual([event(1)]);
});

test('is put aside when it has grown long, not before, and the one before forgotten', async () => {
  const directory = await temporaryDirectory();
  const line = (second: number) => `${JSON.stringify(event(second))}\n`;
  const few = Array.from({ length: 100 }, (_, second) => line(second)).join('');
  await writeFile(join(directory, name), few);
  await shortenHistory(directory);
  expect(await readFile(join(directory, name), 'utf8')).toBe(few);

  const many = Array.from({ length: 10_000 }, (_, second) => line(second)).join('');
  await writeFile(join(directory, name), many);
  await shortenHistory(directory);
  await recordEvent(directory, event(10_000), log);
  expect(await readHistory(directory)).toHaveLength(10_001);

  await writeFile(join(directory, name), many.replaceAll('1970', '1971'));
  await shortenHistory(directory);
  const left = await readHistory(directory);
  expect(left).toHaveLength(10_000);
  expect(left.every(({ at }) => at.startsWith('1971'))).toBe(true);
});

test('what is copied where is not forgotten when it is put aside, as long as it matters', async () => {
  const directory = await temporaryDirectory();
  const [here, gone] = [
    'pratiko_backup_20251129_020000.sql.gz',
    'pratiko_backup_20251128_020000.sql.gz',
  ];
  const copied = (backup: string, to: string): CopyEvent => ({
    ...{ at: event(1).at, event: 'copy', outcome: 'done', to, backup, bytes: 1, sha256: 'x' },
    ...{ database: 'd', madeAt: event(1).at },
  });
  const removed = (backup: string): CopyEvent => ({
    ...{ at: event(2).at, event: 'copy', outcome: 'removed', to: 'file:///b', backup },
  });
  await writeFile(join(directory, here), '');
  const kept = [copied(gone, 'file:///a'), removed(here)];
  const events = [...kept, copied(gone, 'file:///b'), removed(gone)];
  const line = `${JSON.stringify(event(1))}\n`;
  for (let round = 0; round < 3; round += 1) {
    for (const each of round === 0 ? events : []) await recordEvent(directory, each, log);
    await appendFile(join(directory, name), line.repeat(6000));
    await shortenHistory(directory);
  }
  const left = (await readHistory(directory)).filter((each) => each.event === 'copy');
  expect(left).toEqual(kept);
});

test('that it cannot be written is said, and no error', async () => {
  await recordEvent('/nonexistent', event(1), log);
  expect(said.join('')).toContain('pratiko_backup_history.jsonl could not be written');
});

test('what is added while it is shortened is not lost', async () => {
  const directory = await temporaryDirectory();
  const line = `${JSON.stringify(event(1))}\n`;
  await writeFile(join(directory, name), line.repeat(12_000));
  const seconds = Array.from({ length: 40 }, (_, index) => index + 100);
  await Promise.all([
    ...seconds.map((second) => recordEvent(directory, event(second), log)),
    shortenHistory(directory),
  ]);
  const left = new Set((await readHistory(directory)).map(({ at }) => at));
  for (const second of seconds) expect(left).toContain(event(second).at);
});
