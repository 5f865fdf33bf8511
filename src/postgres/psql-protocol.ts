import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { textOf } from '../base/text.ts';
import { canBeRestricted } from './restriction.ts';

/** The server has done all that psql was given before the question for it. */
export const done = Symbol('done');

/**
 * How one talks with a psql that stays open: it is asked for a random word, and what comes before that is
 * its answer to everything it was given; and by the same word it is kept from commands of its own.
 */
export class PsqlProtocol {
  readonly #word = randomBytes(16).toString('hex');
  readonly #isRestricted: boolean;

  /** @param version of psql. */
  constructor(version: string) {
    this.#isRestricted = canBeRestricted(version);
  }

  /** One line: from here on psql runs no command of its own, not even `\!`; empty where it cannot do that. */
  get restrict(): string {
    return this.#isRestricted ? `\\restrict ${this.#word}\n` : '';
  }

  /** Ends that. */
  get unrestrict(): string {
    return this.#isRestricted ? `\\unrestrict ${this.#word}\n` : '';
  }

  /** One line: only a psql that has read everything before it answers this. */
  get question(): string {
    return `SELECT '${this.#word}';\n`;
  }

  /** The lines that psql puts out, and `done` where it answers a question. */
  async *answers(stdout: Readable): AsyncGenerator<string | typeof done> {
    for await (const line of linesOf(stdout)) yield line === this.#word ? done : line;
  }
}

/** Lines as `textOf` has them, ended by a line feed and nothing else. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      yield textOf(Buffer.concat([...rest, chunk.subarray(start, end)]));
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield textOf(Buffer.concat(rest));
}
