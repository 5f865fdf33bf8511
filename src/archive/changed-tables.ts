import { changedMeanwhile } from '../postgres/dump-failure.ts';
import type { Server } from '../postgres/psql.ts';
import { Snapshot } from '../postgres/snapshot.ts';
import { spoken } from '../dump/selection/outline.ts';
import type { Token } from '../dump/token.ts';

/** Watches that what a dump holds is of one moment, that of a session beside it: see `Snapshot`. */
export class ChangedTables implements AsyncDisposable {
  readonly #snapshot: Snapshot;
  readonly #leavesRowsOut: boolean;
  /** Tables of whose rows pg_dump sees none. */
  #replaced: ReadonlySet<string> | undefined;

  private constructor(snapshot: Snapshot, leavesRowsOut: boolean) {
    this.#snapshot = snapshot;
    this.#leavesRowsOut = leavesRowsOut;
  }

  /**
   * @param leavesRowsOut of some tables, on purpose: of which, the dump tells.
   * @throws Failure `cannotConnect`, `dumpFailed`.
   */
  static async watch(server: Server, leavesRowsOut: boolean): Promise<ChangedTables> {
    return new ChangedTables(await Snapshot.take(server), leavesRowsOut);
  }

  /** The moment to be dumped, as `pg_dump --snapshot` takes it. */
  get moment(): string {
    return this.#snapshot.id;
  }

  /**
   * Call it before the first byte of the dump is read: with that, pg_dump has all its locks.
   * @throws ChangedMeanwhile
   */
  async look(): Promise<void> {
    if (this.#replaced !== undefined) return;
    const { replaced, redefined } = await this.#snapshot.changes();
    await this[Symbol.asyncDispose]();
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#snapshot[Symbol.asyncDispose]();
  }
}

/** A name in another encoding, or quoted by other rules, is the same; a few too many are no harm. */
const comparable = (name: string) => name.replaceAll(/[^ -~]+/g, '?');
