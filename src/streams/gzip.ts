import { constants, crc32, deflateRaw, type ZlibOptions } from 'node:zlib';

/** Compressed independently of each other; larger ones compress hardly better. */
export const blockBytes = 1024 * 1024;

/** What deflate can refer back to: each block knows the end of the one before. */
const windowBytes = 32 * 1024;

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_SYNC_FLUSH } = constants;

/** RFC 1952 section 2.3: deflate, no flags, no time, system unknown. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** RFC 1951 section 3.2.3: an empty last block with fixed codes. */
const lastBlock = Buffer.from([3, 0]);

/**
 * Compresses to one ordinary gzip member, in blocks that Node's threads work on side by side.
 * @param jobs how many; at most one more is waiting.
 */
export async function* gzip(
  chunks: AsyncIterable<Buffer>,
  jobs: number,
): AsyncGenerator<Buffer, void> {
  const waiting: Promise<Buffer>[] = [];
  const blocks = new Blocks();
  let crc = 0;
  let bytes = 0;
  yield header;
  for await (const { block, window } of blocks.of(chunks)) {
    crc = crc32(block, crc);
    bytes += block.length;
    const compressed = deflate(block, window).finally(() => blocks.release(block));
    compressed.catch(() => undefined); // it is thrown where it is awaited, in order
    waiting.push(compressed);
    if (waiting.length > (jobs === 1 ? 0 : jobs)) yield await next(waiting);
  }
  while (waiting.length > 0) yield await next(waiting);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(bytes % 2 ** 32, 4);
  yield Buffer.concat([lastBlock, trailer]);
}

async function next(waiting: Promise<Buffer>[]): Promise<Buffer> {
  return (await waiting.shift()) ?? Buffer.alloc(0);
}

/** Cuts a stream into blocks. Their memory is used again: so much garbage would cost seconds. */
class Blocks {
  readonly #free: Buffer[] = [];

  async *of(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ block: Buffer; window: Buffer }> {
    let memory = this.#take();
    let [from, to] = [windowBytes, windowBytes];
    for await (const chunk of chunks) {
      for (let taken = 0; taken < chunk.length;) {
        const copied = chunk.copy(memory, to, taken);
        to += copied;
        taken += copied;
        if (to < memory.length) continue;
        yield { block: memory.subarray(windowBytes), window: memory.subarray(from, windowBytes) };
        const following = this.#take();
        memory.copy(following, 0, memory.length - windowBytes);
        memory = following;
        [from, to] = [0, windowBytes];
      }
    }
    if (to === windowBytes) return;
    yield { block: memory.subarray(windowBytes, to), window: memory.subarray(from, windowBytes) };
  }

  release(block: Buffer): void {
    this.#free.push(Buffer.from(block.buffer));
  }

  /** A window, and behind it a block. */
  #take(): Buffer {
    return this.#free.pop() ?? Buffer.from(new ArrayBuffer(windowBytes + blockBytes));
  }
}

async function deflate(block: Buffer, window: Buffer): Promise<Buffer> {
  const options: ZlibOptions = {
    ...settingsFor(block),
    memLevel: 9,
    finishFlush: Z_SYNC_FLUSH,
    chunkSize: blockBytes / 2,
    ...(window.length > 0 ? { dictionary: window } : {}),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, compressed) => {
      if (error) reject(error);
      else resolve(compressed);
    });
  });
}

/**
 * Numbers have few repetitions: to prefer Huffman codes to short matches makes them smaller, and to
 * look for long ones only nearby takes two thirds of the time. For prose it is the other way round.
 */
function settingsFor(block: Buffer): ZlibOptions {
  return isNumeric(block)
    ? { level: 4, strategy: Z_FILTERED, windowBits: 12 }
    : { level: 4, strategy: Z_DEFAULT_STRATEGY };
}

/** How far apart the bytes are that are looked at; a prime, so that it meets every column. */
const sampleStride = 127;

/** Digits and what stands between them: embeddings, measurements. */
function isNumeric(block: Buffer): boolean {
  let numeric = 0;
  let looked = 0;
  for (let at = 0; at < block.length; at += sampleStride) {
    const byte = block[at] ?? 0;
    looked += 1;
    if ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x2c && byte <= 0x2e)) numeric += 1;
  }
  return numeric > looked * 0.85;
}
