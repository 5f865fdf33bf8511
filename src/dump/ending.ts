import type { Token } from './token.ts';

/** How much text after the last statement is kept to find the completion marker in. */
const tailBytes = 4096;

const completionMarker =
  /(?:^|\n)--\n-- PostgreSQL database dump complete\n--\n\n(?:\\unrestrict ([A-Za-z0-9]+)\n\n)?$/;

/** How every dump begins, and how it ends. */
const firstComment = /\n-- PostgreSQL database dump[ \t]*\r?\n/;
const longestComment = 64;
const lastComment = /\n-- PostgreSQL database dump complete[ \t]*\r?\n/;

/** The same, however a file went through other systems and editors. */
const markerLine = /^-- PostgreSQL database dump complete[ \t]*\r?$/m;

const noMarker = 'no completion marker at the end: the dump was cut';

/** What follows the last statement of a dump: whether it ends there as pg_dump ends one. */
export class DumpEnding {
  readonly #isStrict: boolean;
  /** What follows the last statement or COPY block: comments, white space, psql commands. */
  #tail = '';
  /** The last bytes, whatever they are. */
  #end = '';
  #restrictKey: string | undefined;
  #continuesAfterMarker = false;
  #beginnings = 0;

  /** @param isStrict it must end exactly as pg_dump ends it. */
  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  /** Takes all bytes, before they are tokens. */
  see(bytes: Buffer): void {
    this.#end = (this.#end + bytes.toString('latin1', bytes.length - tailBytes)).slice(-tailBytes);
  }

  /** Takes what stands between statements. */
  append(token: Extract<Token, { type: 'filler' | 'meta' }>): void {
    if (token.type === 'filler') {
      this.#append(token.bytes);
      return;
    }
    if (!this.#isStrict && !/^\\(?:un)?restrict\b/.test(token.command ?? '')) this.leave();
    this.#append(token.bytes);
    this.#restrictKey ??= /^\\restrict (\S+)$/.exec(token.command ?? '')?.[1];
  }

  /** A statement follows: gives what stood before it, empty where nothing did. */
  leave(): string {
    const heading = this.#tail;
    this.#continuesAfterMarker ||= lastComment.test(heading);
    this.#tail = '';
    return heading;
  }

  /** Its last bytes are exactly those with which pg_dump ends a dump, whatever was read before. */
  get isLikeADump(): boolean {
    return this.#wrongEnd(this.#end) === undefined;
  }

  /** Why nothing proves that this is all; undefined where the end does. */
  get unproven(): string | undefined {
    if (this.#continuesAfterMarker) return 'data after the completion marker of the dump';
    if (this.#beginnings > 1) return 'another dump begins in it';
    if (!this.#isStrict) {
      return markerLine.test(this.#tail) ? undefined : noMarker;
    }
    return this.#wrongEnd(this.#tail);
  }

  #append(bytes: Buffer): void {
    const overlap = this.#tail.slice(-longestComment);
    const text = bytes.toString('latin1');
    const beginnings = (part: string) => part.split(firstComment).length - 1;
    this.#beginnings += beginnings(overlap + text) - beginnings(overlap);
    const tail = this.#tail + text;
    this.#tail = tail.slice(-tailBytes);
    const forgotten = tail.length - this.#tail.length;
    const marker = tail.search(lastComment);
    this.#continuesAfterMarker ||= marker !== -1 && marker < forgotten;
  }

  /** Why it is not exactly how pg_dump ends a dump. */
  #wrongEnd(text: string): string | undefined {
    const marker = completionMarker.exec(text);
    if (!marker) return noMarker;
    if (marker[1] === this.#restrictKey) return undefined;
    return this.#restrictKey === undefined
      ? '\\unrestrict without \\restrict at the beginning'
      : 'no \\unrestrict at the end: the dump was cut';
  }
}
