import { withoutKeys } from '../support/access.ts';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkArchive } from '../../src/archive/reader.ts';
import { conditionOf, type Backup, type BackupFile } from '../../src/backup-directory/backup.ts';
import { listBackups } from '../../src/backup-directory/catalog.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { withOneBackup } from '../support/aged-backups.ts';

/** A good backup of a small table, as bytes. */
let good: { readonly bytes: Buffer; readonly manifest: Backup['manifest'] };

beforeEach(async () => {
  const { directory } = await withOneBackup(
    'CREATE TABLE t AS SELECT n FROM generate_series(1, 50) AS n;',
  );
  const [backup] = await listBackups(directory);
  if (backup === undefined) throw new Error('there is no backup');
  good = { bytes: await readFile(backup.path), manifest: backup.manifest };
});

/** A file of so many bytes, with the manifest that it should have. */
const fileOf = (path: string, bytes: number, manifest?: Backup['manifest']): BackupFile => ({
  name: 'backup.sql.gz',
  path,
  bytes,
  manifest,
  condition: conditionOf(bytes, manifest),
});

/** Checks altered bytes with and without the manifest of the good backup. */
async function check(bytes: Buffer, path: string) {
  await writeFile(path, bytes);
  const defectsWith = async (manifest: Backup['manifest']) =>
    (await checkArchive(fileOf(path, bytes.length, manifest), withoutKeys)).defects;
  return { without: await defectsWith(undefined), with: await defectsWith(good.manifest) };
}

async function scratchPath(): Promise<string> {
  return join(await temporaryDirectory(), 'backup.sql.gz');
}

test('the unaltered backup is good', async () => {
  expect(await check(good.bytes, await scratchPath())).toEqual({ without: [], with: [] });
});

test('cut at any byte, the byte is named', async () => {
  const path = await scratchPath();
  for (let length = 1; length < good.bytes.length; length += 1) {
    const reason = [`truncated at byte ${length}`];
    expect(await check(good.bytes.subarray(0, length), path)).toEqual({
      without: reason,
      with: reason,
    });
  }
  const empty = ['the file is empty'];
  expect(await check(Buffer.alloc(0), path)).toEqual({ without: empty, with: empty });
});

test('with any bit flipped: refused with the manifest, and without it unless the content is the same', async () => {
  const content = gunzipSync(good.bytes);
  const harmless: number[] = [];
  const flip = async (path: string, bit: number) => {
    const bytes = Buffer.from(good.bytes);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await writeFile(path, bytes);
    const plain = fileOf(path, bytes.length);
    // A defect of the file is found with and without a manifest.
    if ((await checkArchive(plain, withoutKeys)).defects.length > 0) return;
    const strict = await checkArchive(fileOf(path, bytes.length, good.manifest), withoutKeys);
    expect(strict.defects, `bit ${bit} with manifest`).toEqual([
      'checksum differs from the manifest',
    ]);
    expect(gunzipSync(bytes).equals(content), `bit ${bit} without`).toBe(true);
    harmless.push(bit >> 3);
  };
  const lanes = 8;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const path = await scratchPath();
      for (let bit = lane; bit < good.bytes.length * 8; bit += lanes) await flip(path, bit);
    }),
  );
  // Fields of the header that no reader uses, and padding: a handful.
  expect(harmless.length).toBeLessThan(100);
});

describe('with something behind it', () => {
  test.each([
    ['a zero', () => Buffer.alloc(1)],
    ['zeros', () => Buffer.alloc(5000)],
    ['garbage', () => Buffer.from('garbage')],
    ['an empty gzip', () => gzipSync('')],
    ['another gzip', () => gzipSync('DROP TABLE t;\n')],
    ['zeros and another gzip', () => Buffer.concat([Buffer.alloc(512), gzipSync('x')])],
    ['the same backup', () => good.bytes],
  ])('%s', async (_, tail) => {
    const reason = [`data after the end of the backup at byte ${good.bytes.length}`];
    const bytes = Buffer.concat([good.bytes, tail()]);
    expect(await check(bytes, await scratchPath())).toEqual({ without: reason, with: reason });
  });
});

describe('with another dump inside', () => {
  const inside = (change: (text: string) => string) =>
    gzipSync(change(gunzipSync(good.bytes).toString()));

  test.each([
    [
      'twice the same',
      (text: string) => text + text,
      'data after the completion marker of the dump',
    ],
    ['without its end', (text: string) => text.slice(0, -40), /the dump was cut/],
    [
      'without its last rows',
      (text: string) => text.slice(0, text.indexOf('\n40\n')),
      'COPY of public.t is not closed: the dump was cut',
    ],
  ])('%s', async (_, change, reason) => {
    const { without, with: strict } = await check(inside(change), await scratchPath());
    expect(without[0]).toMatch(reason);
    expect(strict).toContain('checksum differs from the manifest');
  });

  test('with a row less, which only the manifest knows', async () => {
    const { without, with: strict } = await check(
      inside((text) => text.replace('\n40\n', '\n')),
      await scratchPath(),
    );
    expect(without).toEqual([]);
    expect(strict).toEqual([
      'checksum differs from the manifest',
      'rows differ from the manifest: public.t has 49 rows, expected 50 rows',
    ]);
  });
});

test('a large backup, cut and flipped at places all over it', async () => {
  const { directory } = await withOneBackup(
    'CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 60000) AS n;',
  );
  const [large] = await listBackups(directory);
  if (large === undefined) throw new Error('there is no backup');
  const bytes = await readFile(large.path);
  const path = await scratchPath();
  for (let part = 1; part < 20; part += 1) {
    const at = Math.floor((bytes.length * part) / 20);
    await writeFile(path, bytes.subarray(0, at));
    expect((await checkArchive(fileOf(path, at), withoutKeys)).defects).toEqual([
      `truncated at byte ${at}`,
    ]);
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await writeFile(path, flipped);
    expect((await checkArchive(fileOf(path, bytes.length), withoutKeys)).defects).not.toEqual([]);
  }
});
