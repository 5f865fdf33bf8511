import { isProgressMessage, maxMessageBytes, mayBeProgressMessage } from './legacy-messages.ts';

/** A line that may be a message of pg_dump as well as a part of the dump: nobody may guess. */
export class AmbiguousMessage extends Error {
  override readonly name = 'AmbiguousMessage';
}

/** pg_dump 16 and later flush the SQL at multiples of this. */
const blockBytes = 4096;

/** The text that is looked at for the object of a message. */
const windowBytes = 16 * 1024;

/** Said before the first byte of the dump, and never later. */
const beforeTheDump =
  /^pg_dump: (?:last built-in|reading|identifying|finding|flagging|saving (?!large)|dropping|connecting|implied)/;

const namesAnObject = /^pg_dump: (?:creating|executing|processing data|dumping contents) /;

/**
 * Takes messages out that stand at multiples of 4096 bytes of the dump, wherever that is: in the
 * middle of a row or of a word. The same words can stand there in a row. What tells them apart is
 * that pg_dump speaks, once, of the object that it writes within the next 4096 bytes.
 */
export class BlockCleaner {
  #offset = 0;
  #removed = 0;
  #held: Buffer = Buffer.alloc(0);
  /** The end of what was given. */
  #before: Buffer = Buffer.alloc(0);
  readonly #said = new Set<string>();

  get removed(): number {
    return this.#removed;
  }

  /** @throws AmbiguousMessage */
  *read(chunk: Buffer): Generator<Buffer> {
    yield* this.#clean(this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk, false);
  }

  /** Gives what was held back, after the last chunk. */
  *end(): Generator<Buffer> {
    yield* this.#clean(this.#held, true);
  }

  *#clean(bytes: Buffer, isLast: boolean): Generator<Buffer> {
    this.#held = Buffer.alloc(0);
    let rest = bytes;
    while (rest.length > 0) {
      const room = blockBytes - (this.#offset % blockBytes);
      if (room === blockBytes && mayBeProgressMessage(rest)) {
        if (!isLast && rest.length < maxMessageBytes + windowBytes) {
          this.#held = Buffer.from(rest);
          return;
        }
        const line = this.#message(rest);
        if (line > 0) {
          this.#removed += 1;
          rest = rest.subarray(line);
          continue;
        }
      }
      const part = rest.subarray(0, room);
      this.#offset += part.length;
      this.#before = Buffer.concat([this.#before, part]).subarray(-windowBytes);
      rest = rest.subarray(part.length);
      yield part;
    }
  }

  /** How many bytes of what is next are a message; 0 where they are the dump's own. */
  #message(bytes: Buffer): number {
    const newline = bytes.indexOf('\n');
    const line = newline === -1 ? '' : bytes.toString('utf8', 0, newline);
    if (!isProgressMessage(line)) return 0;
    if (this.#offset === 0) return newline + 1;
    if (beforeTheDump.test(line)) return 0;
    if (this.#said.has(line)) return 0;
    const announced = announcedBy(line);
    if (announced === undefined) {
      if (namesAnObject.test(line)) return 0; // not the way pg_dump does it
      throw this.#ambiguous(line, bytes.subarray(newline + 1));
    }
    // Between two halves of the comment there can be more messages.
    const after = bytes.subarray(endOfMessages(bytes)).subarray(0, blockBytes + announced.beyond);
    const around = Buffer.concat([this.#before.subarray(-announced.back), after]).toString();
    if (!announced.headers.some((header) => around.includes(header))) return 0;
    this.#said.add(line);
    return newline + 1;
  }

  #ambiguous(line: string, after: Buffer): AmbiguousMessage {
    const lastLine = (text: string) => text.slice(text.lastIndexOf('\n') + 1).slice(-40);
    const before = lastLine(this.#before.toString());
    const next = after.toString('utf8', 0, 40).split('\n', 1)[0] ?? '';
    return new AmbiguousMessage(
      `at byte ${this.#offset} of the dump "${line}" is either a message of pg_dump (then the line is ${JSON.stringify(before + next)}) or a part of the data (then it is ${JSON.stringify(before + line)})`,
    );
  }
}

/** Where the lines end that look like messages. */
function endOfMessages(bytes: Buffer): number {
  let end = 0;
  for (;;) {
    const newline = bytes.indexOf('\n', end);
    if (newline === -1 || !isProgressMessage(bytes.toString('utf8', end, newline))) return end;
    end = newline + 1;
  }
}

/** What a message speaks of, by the comment that stands above it in the dump. */
interface Announced {
  readonly headers: readonly string[];
  /** How far before the message, and beyond the block after it, the comment can reach. */
  readonly back: number;
  readonly beyond: number;
}

const commentBytes = 512;

/** Undefined for a message that speaks of no object. */
function announcedBy(line: string): Announced | undefined {
  const created =
    /^pg_dump: creating (?<type>.+?) "(?<tag>.*)"$/.exec(line) ??
    /^pg_dump: executing (?<type>SEQUENCE SET) (?<tag>.*)$/.exec(line);
  if (created?.groups) {
    const { type = '', tag = '' } = created.groups;
    const headers = afterDots(tag).map((name) => `Name: ${name}; Type: ${type};`);
    return { headers, back: 1, beyond: commentBytes };
  }
  const table = /^pg_dump: (processing data for|dumping contents of) table "(.*)"$/.exec(line);
  if (table) {
    const headers = afterDots(table[2] ?? '').map(
      (tag) => `Data for Name: ${tag}; Type: TABLE DATA;`,
    );
    // The list of columns stands between.
    const back = table[1] === 'dumping contents of' ? windowBytes : commentBytes;
    return { headers, back, beyond: 0 };
  }
  if (/^pg_dump: (?:processing|saving large objects)/.test(line)) {
    const headers = ['; Type: BLOBS;', '; Type: BLOB;', '; Type: BLOB METADATA;'];
    return { headers, back: commentBytes, beyond: 0 };
  }
  return undefined;
}

/** `public.a.b` → the names that can be meant: the schema's may have dots, too. */
function afterDots(qualified: string): string[] {
  const parts = qualified.split('.');
  return parts.map((_, index) => parts.slice(index).join('.'));
}
