import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { gunzip } from '../../src/streams/gunzip.ts';
import { blockBytes, gzip } from '../../src/streams/gzip.ts';

function inChunks(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  const count = Math.ceil(bytes.length / size);
  return Readable.from(
    Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)),
  );
}

async function decompress(bytes: Buffer, size = 65_536): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of gunzip(inChunks(bytes, size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function compress(bytes: Buffer, jobs = 2): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(
    inChunks(bytes, 10_000),
    (chunks: AsyncIterable<Buffer>) => gzip(chunks, jobs),
    async (compressed: AsyncIterable<Buffer>) => {
      for await (const chunk of compressed) chunks.push(chunk);
    },
  );
  return Buffer.concat(chunks);
}

const borders = [1, 2].flatMap((n) => [n * blockBytes - 1, n * blockBytes, n * blockBytes + 1]);
const sizes = [0, 1, 2, 1000, 32_767, 32_768, 32_769, ...borders, 3_000_001];

test.each(sizes)('%d bytes come back, through ours and through any gunzip', async (size) => {
  const bytes = Buffer.alloc(size, 'Perché no? ');
  const compressed = await compress(bytes);
  expect((await decompress(compressed)).equals(bytes)).toBe(true);
  expect(gunzipSync(compressed).equals(bytes)).toBe(true);
});

test.each([1, 2, 3, 8])('with %d jobs it is one member, the same for every gzip', async (jobs) => {
  const numbers = Array.from({ length: 300_000 }, (_, n) => Math.sin(n).toFixed(8)).join(',');
  const bytes = Buffer.from(`${'Nel mezzo del cammin\n'.repeat(50_000)}${numbers}`);
  const compressed = await compress(bytes, jobs);
  expect(compressed.equals(await compress(bytes, 1))).toBe(true);
  expect((await decompress(compressed)).equals(bytes)).toBe(true);
  const { stdout } = await execa('gzip', ['-dc'], { input: compressed, encoding: 'buffer' });
  expect(bytes.equals(stdout)).toBe(true);
  expect(compressed.length).toBeLessThan(gzipSync(bytes, { level: 6 }).length * 1.02);
});

test('an error of the source ends it', async () => {
  const broken = (async function* () {
    yield Buffer.alloc(blockBytes * 3);
    await Promise.reject(new Error('the source is gone'));
  })();
  const reading = async () => {
    for await (const _ of gzip(broken, 2));
  };
  await expect(reading()).rejects.toThrow('the source is gone');
});

test.each([1, 2, 7, 65_536])('in chunks of %d bytes', async (size) => {
  const bytes = Buffer.alloc(5000, 'abc\n');
  expect((await decompress(gzipSync(bytes), size)).equals(bytes)).toBe(true);
});

const whole = gzipSync(Buffer.from('some rows\n'.repeat(20)));

test('a header with a name, a comment and extra fields is read', async () => {
  const fields = Buffer.from('\x03\x00abcname\x00comment\x00', 'latin1');
  const bytes = Buffer.concat([whole.subarray(0, 10), fields, whole.subarray(10)]);
  bytes[3] = 4 | 8 | 16;
  expect((await decompress(bytes)).toString()).toBe('some rows\n'.repeat(20));
});

test('every truncation names the byte', async () => {
  await expect(decompress(whole.subarray(0, 0))).rejects.toThrow('the file is empty');
  for (let length = 1; length < whole.length; length += 1) {
    await expect(decompress(whole.subarray(0, length))).rejects.toThrow(
      `truncated at byte ${length}`,
    );
  }
});

test.each([
  ['zeros', Buffer.alloc(512)],
  ['a second member', whole],
  ['zeros and a second member', Buffer.concat([Buffer.alloc(512), whole])],
  ['garbage', Buffer.from('x')],
])('%s after the end are refused', async (_, tail) => {
  await expect(decompress(Buffer.concat([whole, tail]))).rejects.toThrow(
    `data after the end of the backup at byte ${whole.length}`,
  );
});

test('no flipped bit changes what comes out', async () => {
  const expected = gunzipSync(whole);
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const result = await decompress(flipped).catch(() => undefined);
    expect(result?.equals(expected) ?? true, `bit ${bit}`).toBe(true);
  }
});

test.each([
  ['plain SQL', Buffer.from('--\n-- PostgreSQL database dump\n')],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['one byte', Buffer.from('x')],
])('%s is not gzip', async (_, bytes) => {
  await expect(decompress(bytes)).rejects.toThrow('not gzip');
});
