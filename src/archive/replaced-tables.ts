import { replacedMeanwhile } from '../postgres/pg-dump.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { spoken } from '../dump/selection/outline.ts';
import type { Token } from '../dump/token.ts';

/**
 * Watches the tokens of a dump for the rows of tables that were replaced before pg_dump had its locks: it sees none of
 * them. Of tables whose rows are left out, none are awaited.
 */
export class ReplacedTables {
  readonly #snapshot: Snapshot;
  #names: ReadonlySet<string> | undefined;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Call it before the first byte of the dump is read: with that, pg_dump has all its locks. */
  async look(): Promise<void> {
    if (this.#names !== undefined) return;
    const replaced = await this.#snapshot.replaced();
    await this.#snapshot[Symbol.asyncDispose]();
    this.#names = new Set(replaced.map(comparable));
  }

  /** @throws ChangedMeanwhile where the rows of such a table follow. */
  check(token: Token): void {
    const table = token.type === 'sql' ? token.statement?.copyInto : undefined;
    if (table === undefined || !this.#names?.size) return;
    if (this.#names.has(comparable(spoken(table)))) throw replacedMeanwhile(table);
  }
}

/** A name in another encoding, or quoted by other rules, is the same; a few too many are no harm. */
const comparable = (name: string) => name.replaceAll(/[^ -~]+/g, '?');
