import { identifier } from '../../base/sql.ts';
import { tableKey } from '../../dump/ordering.ts';
import type { Work } from './session.ts';
import { analyze, needsStatistics, type Task } from './build-tasks.ts';

/**
 * Up to here a table is small: one session loads it, so that its rows keep their order, and its
 * statistics can wait for the end.
 */
export const smallTableBytes = 8 * 1024 * 1024;

/** Up to here, what belongs to a table takes less time than to give it to a session of its own. */
export const tinyTableBytes = 256 * 1024;

const schemaQualified = new RegExp(String.raw`^${identifier}\.`);

/**
 * A table that can be asked for by the name that the dump gives it: old dumps name some without a
 * schema, which means another one when the search path changes, and a name can be in another encoding.
 */
const isClear = (name: string) => schemaQualified.test(name) && !name.includes('\ufffd');

/**
 * The tables of a dump that is being loaded, and their statistics. Those of a large one take a
 * while: they are collected as soon as it is loaded, not in the end, when all would wait for them.
 */
export class TableStatistics {
  /** How the dump writes the name of a table, and the size of its rows in the dump, by `tableKey`. */
  readonly #tables = new Map<string, { readonly name: string; readonly bytes: number }>();
  /** The tables that are not small. */
  readonly #large = new Set<string>();
  readonly #collecting = new Map<string, Promise<void>>();
  readonly #collected = new Set<string>();
  /** What ANALYZE of a table reads is loaded with it, and is here. */
  #isEarlyEnough = true;

  /** Tables whose statistics have been collected, as the dump writes them. */
  get collected(): ReadonlySet<string> {
    return new Set([...this.#collected].map((key) => this.#tables.get(key)?.name ?? key));
  }

  /** Work that ends when the statistics of a table have been collected, by `tableKey`. */
  get collecting(): ReadonlyMap<string, Promise<void>> {
    return this.#collecting;
  }

  /** Lets none be collected before the end from now on: a table has children, or one on another server. */
  leaveToTheEnd(): void {
    this.#isEarlyEnough = false;
  }

  /** Notes more rows of a table; gives the size of all so far. */
  addRows(name: string, bytes: number): number {
    const key = tableKey(name);
    const total = this.bytesOf(key) + bytes;
    this.#tables.set(key, { name, bytes: total });
    if (total > smallTableBytes) this.#large.add(key);
    return total;
  }

  bytesOf(key: string): number {
    return this.#tables.get(key)?.bytes ?? 0;
  }

  /** Collects those of a table that is large, when its rows are loaded. */
  collect(
    key: string,
    rows: readonly Promise<unknown>[],
    run: (work: Work) => Promise<unknown>,
    onError: (error: unknown) => void,
  ): void {
    const name = this.#largeTable(key);
    if (name === undefined) return;
    const done = () => {
      this.#collecting.delete(key);
      this.#collected.add(key);
    };
    const collecting = Promise.all(rows).then(() => run(analyze(name)));
    this.#collecting.set(key, collecting.then(done, onError));
  }

  /** What a session can do instead of nothing: of that it would be the only one to wait for in the end. */
  nextTask(isNeeded: (table: string) => boolean): Task | undefined {
    const [key = ''] = [...this.#large]
      .filter((table) => this.#largeTable(table) !== undefined && !isNeeded(table))
      .filter((table) => !this.#collected.has(table) && !this.#collecting.has(table))
      .sort((a, b) => this.bytesOf(b) - this.bytesOf(a));
    const name = this.#largeTable(key);
    if (name === undefined) return undefined;
    return { works: [analyze(name)], tables: [key], isForeignKey: false, isAnalysis: true };
  }

  /** Notes a task that begins: an index on an expression needs statistics of its own. */
  note(task: Task): void {
    const [key = ''] = task.tables;
    if (task.isAnalysis) this.#collected.add(key);
    else if (needsStatistics(task)) this.#collected.delete(key);
  }

  /** The name of a table whose statistics are worth collecting early, if that can do no harm. */
  #largeTable(key: string): string | undefined {
    const { name, bytes } = this.#tables.get(key) ?? { name: '', bytes: 0 };
    const isWorthIt = bytes > smallTableBytes && this.#isEarlyEnough;
    return isWorthIt && isClear(name) ? name : undefined;
  }
}
