import { createHash } from 'node:crypto';

/** Counts the bytes that pass and takes their SHA-256. */
export class Checksum {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  /** Ends the count; 64 hexadecimal digits. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
