import type { Order } from '../dump/parts.ts';
import type { Work } from '../postgres/load-session.ts';

/** An index or a constraint that waits for its turn. */
export interface Task extends Work, Omit<Extract<Order, { type: 'tables' }>, 'type'> {
  readonly isAnalysis?: true;
}

const indexOnExpression = /\sUSING \S+ \(.*\(/s;
const extendedStatistics = /^CREATE STATISTICS /m;

/**
 * Whether what it makes is to be filled by an ANALYZE that comes after it. True also for some that
 * are not: to collect twice does no harm.
 */
export function needsStatistics({ sql }: Task): boolean {
  const text = Buffer.concat(sql).toString();
  return indexOnExpression.test(text) || extendedStatistics.test(text);
}

/** Collects the statistics of a table, named as the dump names it. */
export const analyze = (table: string): Work => ({
  sql: [Buffer.from(`ANALYZE ${table};`)],
  line: 1,
  lines: 0,
});

const preceded = (setting: string, { sql, line, lines }: Work): Work => ({
  sql: [Buffer.from(setting), ...sql],
  line,
  lines,
});

/** Where several are built side by side, the workers that each could have would only be in the way. */
export const withoutWorkers = (task: Work) =>
  preceded('SET max_parallel_maintenance_workers = 0; ', task);

/** One that is built alone gets the server's own. */
export const withWorkers = (task: Work) =>
  preceded('RESET max_parallel_maintenance_workers; ', task);

/**
 * The first task none of whose tables is in use, by a running one or by one that waits before it.
 * Foreign keys lock two tables, and of partitioned ones even more: two of them never run together.
 */
export function nextTask(
  waiting: readonly Task[],
  running: ReadonlySet<Task>,
  analyzing: Iterable<string>,
): Task | undefined {
  const used = new Set([...analyzing, ...[...running].flatMap(({ tables }) => tables)]);
  let foreignKeyRuns = [...running].some(({ isForeignKey }) => isForeignKey);
  for (const task of waiting) {
    const isFree = task.tables.every((table) => !used.has(table));
    if (isFree && !(task.isForeignKey && foreignKeyRuns)) return task;
    for (const table of task.tables) used.add(table);
    foreignKeyRuns ||= task.isForeignKey;
  }
  return undefined;
}
