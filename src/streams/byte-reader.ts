/** Reads a stream of chunks as bytes: look at what is next, then take some of it. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #current: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes have been taken. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, at most `limit`, without taking them; undefined at the end. */
  async peek(limit: number): Promise<Buffer | undefined> {
    while (this.#current.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#current = next.value;
    }
    return this.#current.subarray(0, limit);
  }

  /** Lets the source release what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Takes `bytes` of what `peek` showed. */
  advance(bytes: number): void {
    this.#current = this.#current.subarray(bytes);
    this.#position += bytes;
  }

  /** Takes exactly `bytes`; fewer only where the stream ends. */
  async take(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = bytes; missing > 0;) {
      const part = await this.peek(missing);
      if (part === undefined) break;
      parts.push(part);
      this.advance(part.length);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }
}
