import { announcedBy, canBeChecked, placesOf, type Announced } from './announcements.ts';
import {
  AmbiguousMessage,
  isCutMessage,
  isProgressMessage,
  mayBeProgressMessage,
} from './messages.ts';

/** pg_dump 16 and later flush the SQL at multiples of this. */
const blockBytes = 4096;

/** How much is looked at before a message (a COPY statement can list 1600 columns) and behind it. */
const windowBytes = 128 * 1024;

/** A comment above an object that is cut by the end of a block goes on within this. */
const commentBytes = 2048;

/** So much can begin in one block, at the most. */
const maxMessages = 200;

/**
 * Takes messages out that stand at multiples of 4096 bytes of the dump, wherever that is: in the
 * middle of a row or of a word. The same words can stand there in a row. What tells them apart is
 * that pg_dump speaks, once, of everything that it begins within the next 4096 bytes, and of nothing
 * else.
 */
export class BlockCleaner {
  #offset = 0;
  #removed = 0;
  #announced: Announced = { objects: 0, rows: 0 };
  #held: Buffer = Buffer.alloc(0);
  /** The end of what was given. */
  readonly #before: Buffer[] = [];
  #beforeBytes = 0;
  /** What was spoken of that begins in the last block, or right behind it. */
  #spokenOf: ReadonlySet<string> = new Set();

  get removed(): number {
    return this.#removed;
  }

  /** What the messages that were taken out spoke of. */
  get announced(): Announced {
    return this.#announced;
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
        if (!isLast && rest.length < windowBytes) {
          this.#held = Buffer.from(rest);
          return;
        }
        rest = rest.subarray(this.#messages(rest.toString('latin1', 0, windowBytes)));
      }
      const part = rest.subarray(0, room);
      this.#pass(part);
      rest = rest.subarray(part.length);
      if (part.length > 0) yield part;
    }
  }

  #pass(part: Buffer): void {
    this.#offset += part.length;
    this.#before.push(part);
    this.#beforeBytes += part.length;
    while (this.#beforeBytes > windowBytes) this.#beforeBytes -= this.#before.shift()?.length ?? 0;
  }

  /** How many bytes of what is next are messages. They come first: what follows is the dump's own. */
  #messages(text: string): number {
    const lines = messageLines(text);
    const count = this.#offset === 0 ? lines.length : this.#count(text, lines);
    for (const line of lines.slice(0, count)) this.#note(line);
    const length = lengthOf(lines.slice(0, count));
    const following = lines[count] ?? lineAt(text, length);
    const isUnclear = count < lines.length ? !canBeChecked(following) : isCutMessage(following);
    if (isUnclear) throw this.#ambiguous(text, lines, count);
    return length;
  }

  #note(line: string): void {
    const { objects, rows } = announcedBy(line);
    this.#removed += 1;
    this.#announced = {
      objects: this.#announced.objects + objects,
      rows: this.#announced.rows + rows,
    };
  }

  /** How many of the lines are messages: as many as speak of something that begins here. */
  #count(text: string, lines: readonly string[]): number {
    const before = Buffer.concat(this.#before).toString('latin1');
    for (let count = Math.min(lines.length, maxMessages); count > 0; count -= 1) {
      const spokenOf = this.#reading(text, before, lines.slice(0, count));
      if (spokenOf === undefined) continue;
      const isOpen = lines.slice(0, count).findIndex((line, index) => {
        // Were this line the first of the dump's own, then pg_dump would speak of its object later.
        return isSpokenOfLater(line, text.slice(lengthOf(lines.slice(0, index))));
      });
      if (isOpen !== -1) throw this.#ambiguous(text, lines, isOpen);
      this.#spokenOf = new Set([...spokenOf].filter((key) => offsetIn(key) >= this.#offset));
      return count;
    }
    return 0;
  }

  /** What these lines speak of, if they are messages; undefined where one of them is not true then. */
  #reading(
    text: string,
    before: string,
    messages: readonly string[],
  ): ReadonlySet<string> | undefined {
    const start = lengthOf(messages);
    const block = text.slice(start, start + blockBytes);
    const spokenOf = new Set(this.#spokenOf);
    for (const line of messages) {
      const key = this.#placeOf(line, before, block, text.slice(start + blockBytes), spokenOf);
      if (key === undefined) return undefined;
      spokenOf.add(key);
    }
    return spokenOf;
  }

  /** What a message speaks of that begins in this block and was not spoken of yet. */
  #placeOf(
    line: string,
    before: string,
    block: string,
    behind: string,
    spokenOf: ReadonlySet<string>,
  ): string | undefined {
    const offset = this.#offset - before.length;
    const search = (text: string, from: number) => {
      for (const { kind, at } of placesOf(line, text, Math.max(0, from))) {
        const inBlock = at - before.length;
        const key = keyOf(kind, offset + at);
        // Of large objects it speaks a little behind their comment.
        const earliest = kind === line ? -commentBytes : -commentStart;
        // A buffer that is exactly full is not flushed yet.
        if (inBlock >= earliest && inBlock <= blockBytes && !spokenOf.has(key)) return key;
      }
      return undefined;
    };
    const found = search(before + block, before.length - commentBytes);
    if (found !== undefined) return found;
    // It can be cut by the end of the block, with messages of the next one in it: how many is not known yet.
    const next = messageLines(behind);
    for (let count = 0; count <= next.length; count += 1) {
      const end = lengthOf(next.slice(0, count));
      const text = before + block + behind.slice(end, end + commentBytes);
      const cut = search(text, before.length + block.length - commentBytes);
      if (cut !== undefined) return cut;
    }
    return undefined;
  }

  #ambiguous(text: string, lines: readonly string[], index: number): AmbiguousMessage {
    const start = lengthOf(lines.slice(0, index));
    const line = lines[index] ?? lineAt(text, start);
    const lastLine = (block: string) => block.slice(block.lastIndexOf('\n') + 1).slice(-40);
    const before = lastLine(Buffer.concat(this.#before).toString('latin1'));
    const next = lineAt(text, start + line.length + 1).slice(0, 40);
    const shown = (part: string) => JSON.stringify(Buffer.from(part, 'latin1').toString());
    return new AmbiguousMessage(
      `at byte ${this.#offset} of the dump ${shown(line)} is either a message of pg_dump (then the line is ${shown(before + next)}) or a part of the data (then it is ${shown(before + line)})`,
    );
  }
}

/** What stands before the text of a comment. */
const commentStart = '--\n'.length;

const keyOf = (kind: string, offset: number) => `${kind} ${offset}`;
const offsetIn = (key: string) => Number(key.slice(key.lastIndexOf(' ') + 1));

const lengthOf = (lines: readonly string[]) =>
  lines.reduce((sum, { length }) => sum + length + 1, 0);

const lineAt = (text: string, start: number) => text.slice(start).split('\n', 1)[0] ?? '';

/** Whether a message stands at the end of the block with which a text begins, and can stand there. */
function isSpokenOfLater(line: string, text: string): boolean {
  const messages = messageLines(text.slice(blockBytes));
  if (!messages.includes(line)) return false;
  const last = 2 * blockBytes + lengthOf(messages);
  for (const { kind, at } of placesOf(line, text, blockBytes - commentBytes)) {
    if (at >= blockBytes - (kind === line ? commentBytes : commentStart) && at <= last) return true;
  }
  return false;
}

/** The lines with which a text begins that look like messages. */
function messageLines(text: string): string[] {
  const lines: string[] = [];
  for (let at = 0; ;) {
    const newline = text.indexOf('\n', at);
    const line = text.slice(at, newline);
    if (newline === -1 || !isProgressMessage(line)) return lines;
    lines.push(line);
    at = newline + 1;
  }
}
