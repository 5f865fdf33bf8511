import type { Ordering } from '../../dump/ordering.ts';
import { bytesOf } from '../../base/text.ts';
import { Heap } from './heap.ts';
import type { Work } from './session.ts';

/** An index or a constraint that waits for its turn; of tiny tables, several together. */
export interface Task extends Omit<Extract<Ordering, { type: 'tables' }>, 'type'> {
  readonly works: readonly Work[];
  readonly isAnalysis?: true;
  readonly isTiny?: true;
}

const indexOnExpression = /\sUSING \S+ \(.*\(/s;
const extendedStatistics = /^CREATE STATISTICS /m;

/**
 * Whether what it makes is to be filled by an ANALYZE that comes after it. True also for some that
 * are not: to collect twice does no harm.
 */
export function needsStatistics({ works }: Task): boolean {
  const text = Buffer.concat(works.flatMap(({ sql }) => sql)).toString();
  return indexOnExpression.test(text) || extendedStatistics.test(text);
}

/** Collects the statistics of a table, named as the dump names it. */
export const analyze = (table: string): Work => ({
  sql: [bytesOf(`ANALYZE ${table};`)],
  line: 1,
  lines: 0,
});

/**
 * What a task does. One that is done alone gets the server's own workers; where several are done side by
 * side, those that each could have would only be in the way; tiny tables never have any.
 */
export function withWorkers({ works, isTiny }: Task, isAlone: boolean): readonly Work[] {
  const [first, ...others] = works;
  if (first === undefined || isTiny) return works;
  const setting = isAlone
    ? 'RESET max_parallel_maintenance_workers; '
    : 'SET max_parallel_maintenance_workers = 0; ';
  return [{ ...first, sql: [Buffer.from(setting), ...first.sql] }, ...others];
}

/** So much of what belongs to tiny tables is sent to a session at once. */
const together = 64;

/** Puts together what belongs to tiny tables, in the order given: to ask for one takes longer than to build it. */
export function groupTiny(
  tasks: readonly Task[],
  isTiny: (table: string) => boolean,
): readonly Task[] {
  const groups: Task[] = [];
  let last: Task | undefined;
  for (const task of tasks) {
    if (!task.tables.every(isTiny)) {
      last = undefined;
      groups.push(task);
    } else if (last?.isForeignKey === task.isForeignKey && last.works.length < together) {
      const tables = new Set([...last.tables, ...task.tables]);
      last = { ...last, tables: [...tables], works: [...last.works, ...task.works] };
      groups[groups.length - 1] = last;
    } else {
      last = { ...task, isTiny: true };
      groups.push(last);
    }
  }
  return groups;
}

/** Stands for a table that all foreign keys use: they lock two, and of partitioned ones even more. */
const foreignKeys = ' foreign keys';

const keysOf = ({ tables, isForeignKey }: Task) =>
  new Set(isForeignKey ? [...tables, foreignKeys] : tables);

/**
 * Tasks in the order in which they are wanted. One is ready when no task before it needs one of its
 * tables, so that those of one table are done one after the other. To take one is quick, however many
 * there are.
 */
export class TaskQueue {
  /** The tasks that need a table and are not done, in order, by table. */
  readonly #lines = new Map<string, Task[]>();
  /** The tasks that are first in all their lines and not running yet, by their place in the order. */
  readonly #ready = new Heap<Task>();
  /** The same of tiny tables. */
  readonly #readyTiny = new Heap<Task>();
  readonly #places = new Map<Task, number>();
  #left = 0;

  constructor(tasks: readonly Task[]) {
    for (const task of tasks) this.#add(task);
    for (const task of tasks) if (this.#isFirst(task)) this.#makeReady(task);
  }

  /** How many indexes and constraints are not done. */
  get left(): number {
    return this.#left;
  }

  /** Whether a task that is not done needs a table. */
  needs(table: string): boolean {
    return this.#lines.has(table);
  }

  /** The first group of what belongs to tiny tables that is ready. */
  takeTiny(): Task | undefined {
    return this.#readyTiny.take();
  }

  /** The first other task that is ready and uses none of these tables; undefined where there is none. */
  take(busy: ReadonlySet<string>): Task | undefined {
    const passed: Task[] = [];
    let task = this.#ready.take();
    for (; task?.tables.some((table) => busy.has(table)); task = this.#ready.take()) {
      passed.push(task);
    }
    for (const other of passed) this.#makeReady(other);
    return task;
  }

  /** A task that was taken is done: others can be ready now. */
  done(task: Task): void {
    this.#left -= task.works.length;
    for (const key of keysOf(task)) {
      const line = this.#lines.get(key) ?? [];
      line.shift();
      if (line.length === 0) this.#lines.delete(key);
      const [first] = line;
      if (first !== undefined && this.#isFirst(first)) this.#makeReady(first);
    }
  }

  #add(task: Task): void {
    this.#places.set(task, this.#places.size);
    this.#left += task.works.length;
    for (const key of keysOf(task)) {
      const line = this.#lines.get(key);
      if (line === undefined) this.#lines.set(key, [task]);
      else line.push(task);
    }
  }

  #makeReady(task: Task): void {
    (task.isTiny ? this.#readyTiny : this.#ready).add(this.#placeOf(task), task);
  }

  #isFirst(task: Task): boolean {
    return [...keysOf(task)].every((key) => this.#lines.get(key)?.[0] === task);
  }

  #placeOf(task: Task): number {
    return this.#places.get(task) ?? 0;
  }
}
