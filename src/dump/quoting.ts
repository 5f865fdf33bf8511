import { Characters } from './characters.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const SINGLE_QUOTE = 0x27;
const STAR = 0x2a;
const DASH = 0x2d;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;

type State =
  | 'code'
  | 'string' // '…'
  | 'escapeString' // E'…', where a backslash escapes
  | 'escapeStringQuote' // after a quote in E'…', which ends it unless another follows
  | 'name' // "…"
  | 'dollarTag' // $tag, before its second dollar
  | 'dollarString' // $tag$ … $tag$
  | 'lineComment'
  | 'blockComment';

/** The byte that ends a state in which all others are alike. */
const terminators: Partial<Record<State, number>> = {
  string: SINGLE_QUOTE,
  name: DOUBLE_QUOTE,
};

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number) =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || byte >= 0x80;
/** Can stand inside a name or key word. */
export const isIdentifier = (byte: number) => isLetter(byte) || isDigit(byte) || byte === DOLLAR;

/**
 * Knows whether a byte of SQL is code or stands in a string, a quoted name, a dollar-quoted body or
 * a comment (PostgreSQL manual, Lexical Structure).
 */
export class Quoting {
  /** False where a backslash escapes in every string (`standard_conforming_strings = off`). */
  standardStrings = true;
  #state: State = 'code';
  /** The last two bytes: a prefix (`E'`, `--`, `/*`) is recognized at its last byte. */
  #previous = NEWLINE;
  #beforePrevious = NEWLINE;
  #escaped = false;
  #commentDepth = 0;
  /** The last byte completed a comment's opening or closing: it is not the first of another. */
  #justNested = false;
  #tag: number[] = [];
  /** How many bytes of the closing tag have been seen. */
  #matched = 0;
  #characters = new Characters();

  /** What the client's encoding is from here on. */
  set encoding(name: string) {
    this.#characters = new Characters(name);
  }

  /** The same rules for another stretch of the same dump. */
  likeThis(): Quoting {
    const other = new Quoting();
    other.standardStrings = this.standardStrings;
    other.#characters = this.#characters.likeThese();
    return other;
  }

  /** The next byte as it counts: in some encodings, one that continues a character can be a backslash. */
  mask(byte: number): number {
    return this.#characters.mask(byte);
  }

  /** True where the next byte can be code. */
  get inCode(): boolean {
    return this.#state === 'code' || this.#state === 'escapeStringQuote';
  }

  get inComment(): boolean {
    return this.#state === 'lineComment' || this.#state === 'blockComment';
  }

  /** True in a string, a quoted name or a block comment: what must be closed before the end. */
  get open(): boolean {
    return !['code', 'lineComment', 'escapeStringQuote'].includes(this.#state);
  }

  /** Takes the next byte and says whether it is code. */
  step(byte: number): boolean {
    const seen = this.#characters.step(byte);
    const wasInCode = this.inCode;
    const isCode = this.#take(seen);
    this.#beforePrevious = this.#previous;
    // What closes a quote or a comment is no part of what opens the next one.
    this.#previous = !wasInCode && this.#state === 'code' && !isCode ? SPACE : seen;
    return isCode;
  }

  /** The next place in `chunk` from `at` on that `step` must see; the bytes before it are alike. */
  skip(chunk: Buffer, at: number): number {
    const terminator = terminators[this.#state];
    if (terminator === undefined) return at;
    if (this.#characters.isOpen) return at;
    const found = chunk.indexOf(terminator, at);
    return found === -1 ? chunk.length : found;
  }

  #take(byte: number): boolean {
    switch (this.#state) {
      case 'code':
        return this.#code(byte);
      case 'lineComment':
        if (byte === NEWLINE || byte === CARRIAGE_RETURN) this.#state = 'code';
        return false;
      case 'string':
      case 'name':
        if (byte === terminators[this.#state]) this.#state = 'code';
        return false;
      case 'escapeString':
        this.#escapeString(byte);
        return false;
      case 'escapeStringQuote':
        this.#state = byte === SINGLE_QUOTE ? 'escapeString' : 'code';
        return byte === SINGLE_QUOTE ? false : this.#code(byte);
      case 'dollarTag':
        return this.#dollarTag(byte);
      case 'dollarString':
        this.#dollarString(byte);
        return false;
      case 'blockComment':
        this.#blockComment(byte);
        return false;
    }
  }

  #code(byte: number): boolean {
    if (byte === SINGLE_QUOTE) {
      this.#state = this.#afterE() || !this.standardStrings ? 'escapeString' : 'string';
    } else if (byte === DOUBLE_QUOTE) this.#state = 'name';
    else if (byte === DASH && this.#previous === DASH) this.#state = 'lineComment';
    else if (byte === STAR && this.#previous === SLASH) {
      this.#state = 'blockComment';
      this.#commentDepth = 1;
      this.#justNested = true;
    } else if (byte === DOLLAR && !isIdentifier(this.#previous)) {
      this.#state = 'dollarTag';
      this.#tag = [byte];
    } else return true;
    return false;
  }

  #afterE(): boolean {
    return (
      (this.#previous === 0x45 || this.#previous === 0x65) && !isIdentifier(this.#beforePrevious)
    );
  }

  #escapeString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === SINGLE_QUOTE) this.#state = 'escapeStringQuote';
  }

  /** `$1` and a lone dollar are code after all. */
  #dollarTag(byte: number): boolean {
    if (byte === DOLLAR) {
      this.#tag.push(byte);
      this.#matched = 0;
      this.#state = 'dollarString';
    } else if (isLetter(byte) || (isDigit(byte) && this.#tag.length > 1)) {
      this.#tag.push(byte);
    } else {
      this.#state = 'code';
      return this.#code(byte);
    }
    return false;
  }

  #dollarString(byte: number): void {
    if (byte === this.#tag[this.#matched]) this.#matched += 1;
    else this.#matched = byte === DOLLAR ? 1 : 0;
    if (this.#matched === this.#tag.length) this.#state = 'code';
  }

  #blockComment(byte: number): void {
    const fresh = !this.#justNested;
    this.#justNested = false;
    if (fresh && byte === STAR && this.#previous === SLASH) this.#nest(1);
    else if (fresh && byte === SLASH && this.#previous === STAR) this.#nest(-1);
  }

  #nest(change: 1 | -1): void {
    this.#commentDepth += change;
    this.#justNested = true;
    if (this.#commentDepth === 0) this.#state = 'code';
  }
}
