import type { Part } from '../dump/parts.ts';
import type { Work } from '../postgres/load-session.ts';

type Tables = Extract<
  NonNullable<Extract<Part, { type: 'statement' }>['order']>,
  { type: 'tables' }
>;

/** An index or a constraint that waits for its turn. */
export interface Task extends Work, Omit<Tables, 'type'> {
  readonly isAnalysis?: true;
}

const indexOnExpression = /\sUSING \S+ \(.*\(/s;

/** An index on an expression does; true also for some others: to collect twice does no harm. */
export function needsStatistics({ sql }: Task): boolean {
  return indexOnExpression.test(Buffer.concat(sql).toString());
}

/** Collects the statistics of a table, named as the dump names it. */
export const analyze = (table: string): Work => ({
  sql: [Buffer.from(`ANALYZE ${table};`)],
  line: 1,
});

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
