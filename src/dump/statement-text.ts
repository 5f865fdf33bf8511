import { textOf } from '../base/text.ts';
import { maxStatementBytes } from './token.ts';

/** Collects what a statement or a psql command says, piece by piece, as long as memory may hold it. */
export class StatementText {
  #pieces: Buffer[] = [];
  #bytes = 0;

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= maxStatementBytes) this.#pieces.push(Buffer.from(piece));
    else this.#pieces = [];
  }

  /** All of it, with its last piece, and begins anew; undefined where it was too long. */
  end(last: Buffer): string | undefined {
    this.add(last);
    const text = this.#bytes <= maxStatementBytes ? textOf(Buffer.concat(this.#pieces)) : undefined;
    this.#pieces = [];
    this.#bytes = 0;
    return text;
  }
}
