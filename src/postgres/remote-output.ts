import type { Readable } from 'node:stream';
import { endLength, endMark } from './remote-script.ts';

/** The most that is kept of what comes before an answer, in bytes. */
const maxBefore = 64 * 1024;

/** What comes back from the other end of a command: answers first, then the output of a program and its exit code. */
export class RemoteOutput {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #word: string;
  #rest: Buffer = Buffer.alloc(0);
  /** The exit code of the program, once all its output was read; undefined where the way broke before. */
  exitCode: number | undefined;

  constructor(stdout: Readable, word: string) {
    this.#chunks = (stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.#word = word;
  }

  /** What came while nothing matched, for people. */
  get said(): string {
    return this.#rest.toString().trim();
  }

  /** Reads on until something matches; what comes before it is passed over. Undefined at the end. */
  async readTo(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    for (;;) {
      const match = pattern.exec(this.#rest.toString('latin1'));
      if (match !== null) {
        this.#rest = this.#rest.subarray(match.index + match[0].length);
        return match;
      }
      const next = await this.#chunks.next();
      if (next.done) return undefined;
      this.#rest = Buffer.concat([this.#rest, next.value]).subarray(-maxBefore);
    }
  }

  /** Nothing more is wanted: whoever writes more is told so. */
  leave(): void {
    void this.#chunks.return?.();
  }

  /** The output of the program. What may be the beginning of its end is held back until more is known. */
  async *program(): AsyncGenerator<Buffer> {
    const mark = endMark(this.#word);
    for (;;) {
      const end = this.#rest.indexOf(mark);
      if (end !== -1 && this.#rest.length >= end + endLength(this.#word)) {
        if (end > 0) yield this.#rest.subarray(0, end);
        const code = end + mark.length;
        this.exitCode = Number(this.#rest.toString('latin1', code, code + 3));
        return;
      }
      const held = end === -1 ? this.#rest.lastIndexOf(mark[0] ?? 0) : end;
      const isHeld = held !== -1 && mark.includes(this.#rest.subarray(held, held + mark.length));
      const free = isHeld ? held : this.#rest.length;
      if (free > 0) yield this.#rest.subarray(0, free);
      this.#rest = this.#rest.subarray(free);
      const next = await this.#chunks.next();
      if (next.done) break;
      this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value]);
    }
    if (this.#rest.length > 0) yield this.#rest;
  }
}
