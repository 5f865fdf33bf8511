import { constants, crc32, createInflateRaw, gunzipSync, type InflateRaw } from 'node:zlib';
import { Defect } from '../base/errors.ts';
import { ByteReader } from './byte-reader.ts';

/** How every gzip file begins (RFC 1952 section 2.3.1). */
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** Whether something begins as gzip does. */
export const isGzip = (head: Buffer): boolean =>
  head.subarray(0, gzipMagic.length).equals(gzipMagic);

/** What can be decompressed of the beginning of a file; undefined where it is not gzip. */
export function gunzipHead(head: Buffer): Buffer | undefined {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/**
 * Deflate expands at most 1032 times: inflating piece by piece bounds the memory, and smaller pieces
 * where they expand much.
 */
const pieceBytes = 128 * 1024;
const smallPieceBytes = 16 * 1024;
const muchExpansion = 64;

/**
 * Decompresses exactly one gzip member. Node's own gunzip ends quietly at a member's border and
 * drops zeros and what follows them.
 * @throws Defect for anything but one whole member with nothing behind it.
 */
export async function* gunzip(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new ByteReader(compressed);
  try {
    await readHeader(input);
    let crc = 0;
    let bytes = 0;
    for await (const chunk of inflate(input)) {
      crc = crc32(chunk, crc);
      bytes += chunk.length;
      yield chunk;
    }
    await readTrailer(input, crc, bytes);
  } finally {
    await input.close();
  }
}

const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };

/** RFC 1952 section 2.3. */
async function readHeader(input: ByteReader): Promise<void> {
  const fixed = await input.take(10);
  if (fixed.length === 0) throw new Defect('the file is empty');
  if (!Buffer.from([0x1f, 0x8b, 8]).subarray(0, fixed.length).equals(fixed.subarray(0, 3))) {
    throw new Defect('not gzip');
  }
  if (fixed.length < 10) throw truncated(input);
  const flag = fixed[3] ?? 0;
  if (flag & flags.reserved) throw new Defect('corrupt gzip header');
  if (flag & flags.extra) {
    const length = await takeExactly(input, 2);
    await takeExactly(input, length.readUInt16LE());
  }
  if (flag & flags.name) await skipString(input);
  if (flag & flags.comment) await skipString(input);
  if (flag & flags.headerCrc) await takeExactly(input, 2);
}

async function* inflate(input: ByteReader): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize: 512 * 1024 });
  const output: Buffer[] = [];
  inflater.on('data', (chunk: Buffer) => output.push(chunk));
  const ended = new Promise<void>((resolve) => inflater.once('end', resolve));
  try {
    let limit = smallPieceBytes;
    // It leaves what follows the end of the compressed data, and only that.
    for (let isLast = false; !isLast;) {
      const piece = await input.peek(limit);
      if (piece === undefined) throw truncated(input);
      const before = inflater.bytesWritten;
      await write(inflater, piece, input.position);
      const taken = inflater.bytesWritten - before;
      input.advance(taken);
      isLast = taken < piece.length;
      if (isLast) await ended;
      const expanded = output.reduce((sum, { length }) => sum + length, 0);
      limit = expanded > taken * muchExpansion ? smallPieceBytes : pieceBytes;
      yield* output.splice(0);
    }
  } catch (error) {
    yield* output; // what came before the defect
    throw error;
  } finally {
    inflater.destroy();
  }
}

async function write(inflater: InflateRaw, piece: Buffer, position: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => {
      reject(new Defect(`corrupt gzip data after byte ${position}: ${error.message}`));
    };
    inflater.once('error', fail);
    inflater.write(piece, () => {
      inflater.off('error', fail);
      resolve();
    });
  });
}

async function readTrailer(input: ByteReader, crc: number, bytes: number): Promise<void> {
  const trailer = await takeExactly(input, 8);
  if (trailer.readUInt32LE(0) !== crc) throw new Defect('gzip checksum (CRC-32) differs');
  if (trailer.readUInt32LE(4) !== bytes % 2 ** 32) throw new Defect('gzip length differs');
  const end = input.position;
  if (await input.peek(1)) throw new Defect(`data after the end of the backup at byte ${end}`);
}

async function takeExactly(input: ByteReader, bytes: number): Promise<Buffer> {
  const taken = await input.take(bytes);
  if (taken.length < bytes) throw truncated(input);
  return taken;
}

async function skipString(input: ByteReader): Promise<void> {
  while ((await takeExactly(input, 1))[0] !== 0);
}

function truncated(input: ByteReader): Defect {
  return new Defect(`truncated at byte ${input.position}`);
}
