import { MixedMessages } from './legacy/mixed-messages.ts';
import { copyTarget, startsWithEndOfCopy } from './copy.ts';
import { StatementBoundary } from './statement-boundary.ts';
import { StatementText } from './statement-text.ts';
import type { Token } from './token.ts';
import { withoutComments } from './comments.ts';
import { isIdentifier, Quoting } from './quoting.ts';

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
/** Stands for a command, because nothing that pg_dump writes looks like this. */
const afterCopy = 'behind COPY … FROM stdin';

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
  #nesting = new StatementBoundary();
  readonly #text = new StatementText();
  #atRowStart = false;
  readonly #messages = new MixedMessages();
  /** The beginning of what may be `\.` or a message, cut by the end of a chunk. */
  #held = Buffer.alloc(0);

  /** Whether pg_dump's messages are mixed into the dump, between statements and before rows. */
  set messages(expected: boolean) {
    this.#messages.expected = expected;
  }

  *read(chunk: Buffer): Generator<Token> {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#isCutEndOfCopy(rest) || this.#messages.isCut(rest)) {
        this.#held = Buffer.from(rest);
        return;
      }
      const token = this.#message(rest) ?? this.#next(rest);
      rest = rest.subarray(token.bytes.length);
      yield token;
    }
  }

  /** Gives what was held back, after the last chunk. */
  *end(): Generator<Token> {
    if (this.#held.length === 0) return;
    yield this.#reading === 'rows'
      ? { type: 'rows', bytes: this.#held, ended: 0 }
      : { type: 'filler', bytes: this.#held };
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
      const byte = this.#quoting.mask(bytes[at] ?? 0);
      if (this.#messages.expected && at > 0 && bytes[at - 1] === NEWLINE && this.#quoting.inCode) {
        return this.#endOfLine(bytes.subarray(0, at));
      }
      if (this.#quoting.inCode && !isBetweenStatements(byte)) {
        if (at > 0) return { type: 'filler', bytes: bytes.subarray(0, at) };
        if (byte === BACKSLASH) return this.#meta(bytes);
        this.#inStatement = true;
        return this.#statement(bytes);
      }
      this.#quoting.step(bytes[at] ?? 0);
    }
    if (bytes.at(-1) === NEWLINE && this.#quoting.inCode) return this.#endOfLine(bytes);
    return { type: 'filler', bytes };
  }

  #endOfLine(bytes: Buffer): Token {
    this.#messages.mayBegin = true;
    return { type: 'filler', bytes };
  }

  #message(bytes: Buffer): Token | undefined {
    const message = this.#messages.take(bytes, this.#reading === 'rows');
    return message && { type: 'message', bytes: message };
  }

  #statement(bytes: Buffer): Token {
    for (let at = 0; at < bytes.length; at += 1) {
      at = this.#quoting.skip(bytes, at);
      if (at >= bytes.length) break;
      const byte = this.#quoting.mask(bytes[at] ?? 0);
      if (byte === BACKSLASH && this.#quoting.inCode) {
        if (at === 0) return this.#meta(bytes);
        return this.#partOfStatement(bytes.subarray(0, at));
      }
      if (this.#nesting.step(byte, this.#quoting.step(bytes[at] ?? 0), isIdentifier(byte))) {
        return this.#endOfStatement(bytes.subarray(0, at + 1));
      }
    }
    return this.#partOfStatement(bytes);
  }

  #partOfStatement(bytes: Buffer): Token {
    this.#text.add(bytes);
    return { type: 'sql', bytes };
  }

  #endOfStatement(bytes: Buffer): Token {
    const collected = this.#text.end(bytes);
    const text = collected === undefined ? undefined : withoutComments(collected, this.#quoting);
    const copyInto = text === undefined ? undefined : copyTarget(text);
    const { endsForPsql } = this.#nesting;
    this.#inStatement = false;
    this.#nesting = new StatementBoundary();
    this.#quoting.standardStrings = standardStringsAfter(text) ?? this.#quoting.standardStrings;
    const encoding = setsEncoding.exec(text ?? '')?.[1];
    if (encoding !== undefined) this.#quoting.encoding = encoding;
    if (copyInto !== undefined) this.#reading = 'copyHeader';
    return { type: 'sql', bytes, statement: { text, copyInto, endsForPsql } };
  }

  /** psql takes a backslash outside quotes for a command of its own, also inside a statement. */
  #meta(bytes: Buffer): Token {
    const newline = bytes.indexOf(NEWLINE);
    if (newline === -1) {
      this.#reading = 'meta';
      this.#text.add(bytes);
      return { type: 'meta', bytes };
    }
    this.#reading = 'sql';
    this.#messages.mayBegin = true;
    const line = bytes.subarray(0, newline + 1);
    return { type: 'meta', bytes: line, command: this.#text.end(line)?.trimEnd() ?? '\\' };
  }

  /** psql takes what follows on the line for more SQL, to be read after the data: let it be seen. */
  #copyHeader(bytes: Buffer): Token {
    const newline = bytes.indexOf(NEWLINE);
    const line = newline === -1 ? bytes : bytes.subarray(0, newline);
    if (line.some((byte) => byte > 0x20)) return { type: 'meta', bytes, command: afterCopy };
    if (newline === -1) return { type: 'filler', bytes };
    this.#reading = 'rows';
    this.#atRowStart = true;
    this.#messages.mayBegin = true;
    return { type: 'filler', bytes: bytes.subarray(0, newline + 1) };
  }

  #rows(bytes: Buffer): Token {
    if (this.#atRowStart && startsWithEndOfCopy(bytes, 0)) {
      this.#reading = 'sql';
      this.#messages.mayBegin = true;
      return { type: 'copyEnd', bytes: bytes.subarray(0, bytes.indexOf(NEWLINE) + 1) };
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
      !bytes.includes(NEWLINE) &&
      startsWithEndOfCopy(bytes, 0)
    );
  }
}

/** pg_dump writes it as the server has it. */
function standardStringsAfter(statement: string | undefined): boolean | undefined {
  const value = /^SET standard_conforming_strings = (on|off);$/.exec(statement ?? '')?.[1];
  return value === undefined ? undefined : value === 'on';
}

/** As people write it, too: the name in quotes or not. */
const setsEncoding = /^SET\s+(?:client_encoding\s*(?:=|TO\s)|NAMES\s)\s*'?([\w-]+)'?\s*;$/i;
