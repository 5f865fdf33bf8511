import type { Announced } from './announcements.ts';
import { BlockCleaner } from './blocks.ts';
import { mayBeProgressMessage } from './messages.ts';

/** How much is looked at to find the version of pg_dump, behind hundreds of messages. */
const maxHeadBytes = 1024 * 1024;

/**
 * The scripts that came before this tool ran `pg_dump --verbose 2>&1`, so pg_dump's messages are
 * inside the SQL of their backups. Up to version 15 pg_dump writes them between statements and
 * after the first line of a COPY block: only the lexer can tell them from rows. From 16 on the SQL
 * has a buffer of its own, and they land wherever it was last flushed, at a multiple of 4096 bytes
 * of the dump: they are taken out here.
 */
export class LegacyCleaner {
  #mode: 'undecided' | 'clean' | 'byLine' | 'byBlock' = 'undecided';
  #held: Buffer = Buffer.alloc(0);
  readonly #blocks = new BlockCleaner();

  /** Messages were mixed into this dump, and are to be recognized by the lexer. */
  get byLine(): boolean {
    return this.#mode === 'byLine';
  }

  /** How many messages have been taken out. */
  get removed(): number {
    return this.#blocks.removed;
  }

  /** What pg_dump has said of the dump; undefined where its messages do not tell that here. */
  get announced(): Announced | undefined {
    return this.#mode === 'byBlock' ? this.#blocks.announced : undefined;
  }

  /** @throws AmbiguousMessage */
  *read(chunk: Buffer): Generator<Buffer> {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    if (this.#mode === 'undecided') this.#decide(bytes);
    if (this.#mode === 'undecided') this.#held = bytes;
    else if (this.#mode === 'byBlock') yield* this.#blocks.read(bytes);
    else yield bytes;
  }

  /** Gives what was held back, after the last chunk. */
  *end(): Generator<Buffer> {
    if (this.#held.length > 0) yield this.#held;
    this.#held = Buffer.alloc(0);
    if (this.#mode === 'byBlock') yield* this.#blocks.end();
  }

  #decide(head: Buffer): void {
    if (!mayBeProgressMessage(head)) {
      this.#mode = 'clean';
      return;
    }
    const version = /^-- Dumped by pg_dump version (\d+).*\n/m.exec(head.toString('latin1'))?.[1];
    if (version !== undefined) this.#mode = Number(version) >= 16 ? 'byBlock' : 'byLine';
    else if (head.length > maxHeadBytes) this.#mode = 'clean';
  }
}
