import { Quoting, withoutComments } from './quoting.ts';

/** A stretch of a plain-SQL dump. The bytes of all tokens, in order, are the dump. */
export type Token =
  /** White space and comments between statements. */
  | { readonly type: 'filler'; readonly bytes: Buffer }
  /** A part of a statement; the last part, with the semicolon, carries the whole. */
  | { readonly type: 'sql'; readonly bytes: Buffer; readonly statement?: Statement }
  /** A part of a psql command, from its backslash to the line break; the last part carries all. */
  | { readonly type: 'meta'; readonly bytes: Buffer; readonly command?: string }
  /** A stretch of COPY data in which `ended` rows end. */
  | { readonly type: 'rows'; readonly bytes: Buffer; readonly ended: number }
  /** The line `\.` that closes a COPY block. */
  | { readonly type: 'copyEnd'; readonly bytes: Buffer };

export interface Statement {
  /**
   * From the first word to the semicolon, without comments; undefined where longer than
   * `maxStatementBytes`.
   */
  readonly text: string | undefined;
  /** The table as the dump writes it (`public."My Table"`) where COPY data follows. */
  readonly copyInto: string | undefined;
}

/** Longer statements (large objects, long INSERTs) pass through without their text. */
export const maxStatementBytes = 256 * 1024;

const NEWLINE = 0x0a;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const endOfCopy = '\\.\n';

/** What a statement never begins with: white space, and what opens a comment (`--`, `/*`). */
const isBetweenStatements = (byte: number) =>
  byte <= 0x20 || byte === 0x2d || byte === 0x2f || byte === 0x2a;

/**
 * Splits a dump into tokens the way psql reads it: what looks like a comment, a COPY, a psql
 * command or the end of data is believed only where psql would believe it. Chunks may be cut
 * anywhere; memory is bounded.
 */
export class DumpLexer {
  #reading: 'sql' | 'meta' | 'copyHeader' | 'rows' = 'sql';
  readonly #quoting = new Quoting();
  #inStatement = false;
  #text: Buffer[] = [];
  #textBytes = 0;
  #atRowStart = false;
  /** The beginning of what may be `\.`, cut by the end of a chunk. */
  #held = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<Token> {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#isCutEndOfCopy(rest)) {
        this.#held = Buffer.from(rest);
        return;
      }
      const token = this.#next(rest);
      rest = rest.subarray(token.bytes.length);
      yield token;
    }
  }

  /** Gives what was held back, after the last chunk. */
  *end(): Generator<Token> {
    if (this.#held.length > 0) yield { type: 'rows', bytes: this.#held, ended: 0 };
  }

  /** True where no statement, quote, psql command or COPY block is left open. */
  get atRest(): boolean {
    return this.#reading === 'sql' && !this.#inStatement && !this.#quoting.open;
  }

  #next(bytes: Buffer): Token {
    switch (this.#reading) {
      case 'sql':
        return this.#inStatement ? this.#statement(bytes) : this.#filler(bytes);
      case 'meta':
        return this.#meta(bytes);
      case 'copyHeader':
        return this.#copyHeader(bytes);
      case 'rows':
        return this.#rows(bytes);
    }
  }

  #filler(bytes: Buffer): Token {
    for (let at = 0; at < bytes.length; at += 1) {
      at = this.#quoting.skip(bytes, at);
      const byte = bytes[at];
      if (byte === undefined) break;
      if (this.#quoting.inCode && !isBetweenStatements(byte)) {
        if (at > 0) return { type: 'filler', bytes: bytes.subarray(0, at) };
        if (byte === BACKSLASH) return this.#meta(bytes);
        this.#inStatement = true;
        return this.#statement(bytes);
      }
      this.#quoting.step(byte);
    }
    return { type: 'filler', bytes };
  }

  #statement(bytes: Buffer): Token {
    for (let at = 0; at < bytes.length; at += 1) {
      at = this.#quoting.skip(bytes, at);
      const byte = bytes[at];
      if (byte === undefined) break;
      if (byte === BACKSLASH && this.#quoting.inCode) {
        if (at === 0) return this.#meta(bytes);
        return this.#partOfStatement(bytes.subarray(0, at));
      }
      if (this.#quoting.step(byte) && byte === SEMICOLON) {
        return this.#endOfStatement(bytes.subarray(0, at + 1));
      }
    }
    return this.#partOfStatement(bytes);
  }

  #partOfStatement(bytes: Buffer): Token {
    this.#collect(bytes);
    return { type: 'sql', bytes };
  }

  #endOfStatement(bytes: Buffer): Token {
    const collected = this.#collected(bytes);
    const text = collected === undefined ? undefined : withoutComments(collected);
    const copyInto = text === undefined ? undefined : copyTarget(text);
    this.#inStatement = false;
    if (copyInto !== undefined) this.#reading = 'copyHeader';
    return { type: 'sql', bytes, statement: { text, copyInto } };
  }

  /** psql takes a backslash outside quotes for a command of its own, also inside a statement. */
  #meta(bytes: Buffer): Token {
    const newline = bytes.indexOf(NEWLINE);
    if (newline === -1) {
      this.#reading = 'meta';
      this.#collect(bytes);
      return { type: 'meta', bytes };
    }
    this.#reading = 'sql';
    const line = bytes.subarray(0, newline + 1);
    return { type: 'meta', bytes: line, command: this.#collected(line)?.trimEnd() ?? '\\' };
  }

  /** psql takes the rest of the line for SQL; pg_dump leaves it empty. */
  #copyHeader(bytes: Buffer): Token {
    const newline = bytes.indexOf(NEWLINE);
    if (newline === -1) return { type: 'filler', bytes };
    this.#reading = 'rows';
    this.#atRowStart = true;
    return { type: 'filler', bytes: bytes.subarray(0, newline + 1) };
  }

  #rows(bytes: Buffer): Token {
    if (this.#atRowStart && startsWithEndOfCopy(bytes, 0)) {
      this.#reading = 'sql';
      return { type: 'copyEnd', bytes: bytes.subarray(0, endOfCopy.length) };
    }
    let ended = 0;
    let newline = bytes.indexOf(NEWLINE);
    while (newline !== -1) {
      ended += 1;
      const next = newline + 1;
      if (bytes[next] === BACKSLASH && startsWithEndOfCopy(bytes, next)) {
        this.#atRowStart = true;
        return { type: 'rows', bytes: bytes.subarray(0, next), ended };
      }
      if (next >= bytes.length) break;
      newline = bytes.indexOf(NEWLINE, next);
    }
    this.#atRowStart = bytes.at(-1) === NEWLINE;
    return { type: 'rows', bytes, ended };
  }

  #isCutEndOfCopy(bytes: Buffer): boolean {
    return (
      this.#reading === 'rows' &&
      this.#atRowStart &&
      bytes.length < endOfCopy.length &&
      endOfCopy.startsWith(bytes.toString('latin1'))
    );
  }

  #collect(bytes: Buffer): void {
    this.#textBytes += bytes.length;
    if (this.#textBytes <= maxStatementBytes) this.#text.push(Buffer.from(bytes));
    else this.#text = [];
  }

  #collected(last: Buffer): string | undefined {
    this.#collect(last);
    const text =
      this.#textBytes <= maxStatementBytes ? Buffer.concat(this.#text).toString() : undefined;
    this.#text = [];
    this.#textBytes = 0;
    return text;
  }
}

/** Also true for the cut beginning of it at the very end: the next chunk decides. */
function startsWithEndOfCopy(bytes: Buffer, at: number): boolean {
  const here = bytes.subarray(at, at + endOfCopy.length).toString('latin1');
  return here.length > 0 && endOfCopy.startsWith(here);
}

/** The table of `COPY public."My Table" (a, b) FROM stdin;`, or undefined for another statement. */
function copyTarget(statement: string): string | undefined {
  const match =
    /^COPY\s+((?:"(?:[^"]|"")*"|[^\s("])+)\s*(?:\(.*\))?\s+FROM\s+stdin\b[^']*;$/isu.exec(
      statement,
    );
  return match?.[1];
}
