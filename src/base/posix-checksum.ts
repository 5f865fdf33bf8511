import { crc32 } from 'node:zlib';

/** Each byte with its bits in the other order. */
const mirrored = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let bit = 0; bit < 8; bit += 1) bits |= ((byte >> bit) & 1) << (7 - bit);
  return bits;
});

/**
 * The checksum and the number of bytes that `cksum` prints (POSIX.1-2017, cksum): the CRC of zlib with every bit
 * mirrored, begun at 0, and taken of the number of bytes as well.
 */
export class PosixChecksum {
  /** As zlib gives it on: inverted. */
  #crc = 0xffffffff;
  #bytes = 0;

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    this.#take(chunk);
  }

  /** `3015617425 6`, after the last chunk. */
  get text(): string {
    const bytes = this.#bytes;
    const count: number[] = [];
    for (let left = bytes; left > 0; left = Math.floor(left / 256)) count.push(left % 256);
    const crc = this.#crc;
    this.#take(Uint8Array.from(count));
    const mirror = mirrored32(this.#crc);
    this.#crc = crc;
    return `${mirror} ${bytes}`;
  }

  #take(chunk: Uint8Array): void {
    const bits = new Uint8Array(chunk.length);
    for (let index = 0; index < chunk.length; index += 1)
      bits[index] = mirrored[chunk[index] ?? 0] ?? 0;
    this.#crc = crc32(bits, this.#crc);
  }
}

/** Both inversions, zlib's and that of POSIX, are one and the same. */
function mirrored32(value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return Buffer.from(bytes.map((byte) => mirrored[byte] ?? 0)).readUInt32LE();
}
