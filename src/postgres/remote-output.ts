import type { Readable } from 'node:stream';
import type { PosixChecksum } from '../base/posix-checksum.ts';
import { endMark, endOfProgram, maxEndBytes } from './remote-script.ts';

/** The most that is kept of what comes before an answer, in bytes. */
const maxBefore = 64 * 1024;

/** What comes back from the other end of a command: answers first, then the output of a program and its exit code. */
export class RemoteOutput {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #word: string;
  #rest: Buffer = Buffer.alloc(0);
  /** The exit code of the program, once all its output was read; undefined where the way broke before. */
  exitCode: number | undefined;
  /** All its output arrived as it was; undefined where nothing tells. */
  isWhole: boolean | undefined;
  #told: string | undefined;

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

  /**
   * The output of the program. What may be the beginning of its end is held back until more is known.
   * @param checksum what is told of it there is compared with what arrived: see `isWhole`.
   */
  async *program(checksum?: PosixChecksum): AsyncGenerator<Buffer> {
    for await (const chunk of this.#program()) {
      checksum?.update(chunk);
      yield chunk;
    }
    if (checksum !== undefined && this.#told !== undefined) {
      this.isWhole = this.#told === checksum.text;
    }
  }

  async *#program(): AsyncGenerator<Buffer> {
    const mark = endMark(this.#word);
    for (;;) {
      const end = this.#rest.indexOf(mark);
      if (end !== -1 && this.#readEnd(end + mark.length)) {
        if (end > 0) yield this.#rest.subarray(0, end);
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

  /** Whether the line with which a program ends is there. */
  #readEnd(start: number): boolean {
    const line = this.#rest.toString('latin1', start, start + maxEndBytes);
    const [, code, told] = endOfProgram.exec(line) ?? [];
    if (code === undefined) return false;
    this.exitCode = Number(code);
    this.#told = told;
    return true;
  }
}
