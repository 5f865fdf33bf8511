import { changedMeanwhile } from '../postgres/pg-dump.ts';
import type { Snapshot } from '../postgres/snapshot.ts';
import { spoken } from '../dump/selection/outline.ts';
import type { Token } from '../dump/token.ts';

/** Watches that what a dump holds is of one moment: see `Snapshot`. */
export class ChangedTables {
  readonly #snapshot: Snapshot;
  readonly #leavesRowsOut: boolean;
  /** Tables of whose rows pg_dump sees none. */
  #replaced: ReadonlySet<string> | undefined;

  /** @param leavesRowsOut of some tables, on purpose: of which, the dump tells. */
  constructor(snapshot: Snapshot, leavesRowsOut: boolean) {
    this.#snapshot = snapshot;
    this.#leavesRowsOut = leavesRowsOut;
  }

  /**
   * Call it before the first byte of the dump is read: with that, pg_dump has all its locks.
   * @throws ChangedMeanwhile
   */
  async look(): Promise<void> {
    if (this.#replaced !== undefined) return;
    const { replaced, redefined } = await this.#snapshot.changes();
    await this.#snapshot[Symbol.asyncDispose]();
    this.#replaced = new Set(replaced.map(comparable));
    const [first] = [...(this.#leavesRowsOut ? [] : replaced), ...redefined];
    if (first !== undefined) throw changedMeanwhile(first);
  }

  /** @throws ChangedMeanwhile where rows follow that pg_dump does not see. */
  check(token: Token): void {
    const table = token.type === 'sql' ? token.statement?.copyInto : undefined;
    if (table === undefined || !this.#replaced?.size) return;
    if (this.#replaced.has(comparable(spoken(table)))) throw changedMeanwhile(spoken(table));
  }
}

/** A name in another encoding, or quoted by other rules, is the same; a few too many are no harm. */
const comparable = (name: string) => name.replaceAll(/[^ -~]+/g, '?');
