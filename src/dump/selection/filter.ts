import { withoutComments } from '../comments.ts';
import type { Token } from '../token.ts';

/**
 * Whether a statement stays, and the rows behind it.
 * @param ordinal which statement of the dump it is, from 0.
 * @param head how it begins, without comments: what is enough to know what it is.
 */
export type Selection = (ordinal: number, head: string) => boolean;

/** So many bytes of a statement tell what it is, and which table it fills (twice 63 letters, quoted). */
const headBytes = 1024;

/** Leaves statements, their rows and what stands before them out of a dump. */
export class StatementFilter {
  readonly #selection: Selection;
  /** Gives what takes the place of what is left out. */
  readonly #instead: (bytes: Buffer) => Token[];
  #ordinal = 0;
  /** What stands before a statement, and its beginning: it is not decided yet. */
  #pending: Token[] = [];
  #headBytes = 0;
  /** Of the statement that is read, or whose rows are: whether it stays. */
  #isKept: boolean | undefined;

  constructor(selection: Selection, instead: (bytes: Buffer) => Token[] = () => []) {
    this.#selection = selection;
    this.#instead = instead;
  }

  *read(token: Token): Generator<Token> {
    switch (token.type) {
      case 'filler':
        this.#pending.push(token);
        break;
      case 'sql':
        yield* this.#statement(token);
        break;
      case 'rows':
      case 'copyEnd':
        this.#pending.push(token); // behind the line break that ends COPY
        yield* this.#decided();
        break;
      default:
        yield* this.end();
        yield token;
    }
  }

  /** Gives what stands behind the last statement. */
  *end(): Generator<Token> {
    yield* this.#pending;
    this.#pending = [];
  }

  *#statement(token: Extract<Token, { type: 'sql' }>): Generator<Token> {
    if (this.#headBytes < headBytes) {
      this.#pending.push(token);
      this.#headBytes += token.bytes.length;
      if (token.statement === undefined && this.#headBytes < headBytes) return;
      this.#isKept = this.#selection(this.#ordinal, this.#head());
      yield* this.#decided();
    } else {
      yield* this.#isKept ? [token] : this.#instead(token.bytes);
    }
    if (token.statement === undefined) return;
    this.#ordinal += 1;
    this.#headBytes = 0;
  }

  /** Gives what was waiting, or what takes its place. */
  *#decided(): Generator<Token> {
    yield* this.#isKept
      ? this.#pending
      : this.#pending.flatMap(({ bytes }) => this.#instead(bytes));
    this.#pending = [];
  }

  #head(): string {
    const parts = this.#pending.filter(({ type }) => type === 'sql').map(({ bytes }) => bytes);
    return withoutComments(Buffer.concat(parts).toString()).trimStart();
  }
}
