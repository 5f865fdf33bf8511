import { Failure } from '../base/errors.ts';

/** Something is encrypted, and no key that we have opens it: nothing can be said of what is in it. */
export class Locked extends Failure {
  /** No key was given at all; else those that were given are other ones, or cannot be used. */
  readonly isWithoutKey: boolean;

  /** Why, a clause about `it`. */
  readonly clause: string;

  constructor(
    clause: string,
    { hint, isWithoutKey }: { hint: string; isWithoutKey: boolean },
    name = 'it',
  ) {
    super('usage', `${name} cannot be opened: ${clause}`, { hint });
    this.clause = clause;
    this.isWithoutKey = isWithoutKey;
  }

  /** The same, said of a file. */
  of(name: string): Locked {
    return new Locked(this.clause, this, name);
  }
}
