import { once } from 'node:events';
import { PassThrough } from 'node:stream';

/** Gives a second reader what passes. The slower of the two sets the pace. */
export class Tee {
  readonly #copy = new PassThrough();

  /** For the second reader; what it does not want to read any more, it need not. */
  get copy(): AsyncIterable<Buffer> {
    return this.#copy;
  }

  /** Where it is not read to its end, the copy has none: its reader gets an error. */
  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of chunks) {
        const hasRoom = this.#copy.destroyed || this.#copy.write(chunk);
        yield chunk;
        if (!hasRoom) await roomIn(this.#copy);
      }
      this.#copy.end();
    } finally {
      if (!this.#copy.writableEnded) this.#copy.destroy();
    }
  }
}

/** Waits until its reader has taken something, or wants no more. */
async function roomIn(copy: PassThrough): Promise<void> {
  if (copy.destroyed || !copy.writableNeedDrain) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(copy, 'drain', { signal }), once(copy, 'close', { signal })]);
  waiting.abort();
}
