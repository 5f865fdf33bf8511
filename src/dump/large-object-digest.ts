import { createHash, hash, type Hash } from 'node:crypto';
import { DigestSum } from './row-digest.ts';

const largeObject = /^SELECT pg_catalog\.(lo_create|lo_open|lowrite|lo_close)\(([^]*)\);$/;

/** Sums up large objects: they are rows of a number and its data; what is empty is only created. */
export class LargeObjectDigest {
  readonly #sum = new DigestSum();
  #open: Hash | undefined;
  /** How many there are. */
  count = 0;

  /** @returns whether the statement is about one. */
  take(statement: string): boolean {
    const [, call, given = ''] = largeObject.exec(statement) ?? [];
    switch (call) {
      case undefined:
        return false;
      case 'lo_create':
        this.count += 1;
        this.#sum.add(hash('sha256', given, 'buffer'));
        break;
      case 'lo_open':
        this.#open = createHash('sha256').update(given);
        break;
      case 'lowrite':
        this.#open?.update(given);
        break;
      default:
        if (this.#open) this.#sum.add(this.#open.digest());
        this.#open = undefined;
    }
    return true;
  }

  /** The same for the same objects in any order: 64 hexadecimal digits. */
  digest(): string {
    return this.#sum.digest();
  }
}
