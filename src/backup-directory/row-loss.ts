import { formatCount, formatPlural } from '../base/format.ts';
import { totalRows, type TableRows } from '../base/table-rows.ts';

/** What an older backup holds much more of than a newer one. */
export interface RowLoss {
  /** Undefined: all tables together. */
  readonly table: string | undefined;
  /** Rows in the older one. */
  readonly held: number;
  /** Rows in the newer one; undefined where it has no such table. */
  readonly holds: number | undefined;
}

/** So many times as many rows are much more: a person should look. */
const muchMore = 2;

/** A table that has lost fewer rows than that, and is not empty, is at its daily work. */
const daily = 10;

/**
 * What was lost between two backups, by table and in sum: less than half is left, or nothing. The
 * usual form is one table that was emptied in a database full of logs, where the sum hardly tells.
 */
function rowLosses(older: readonly TableRows[], newer: readonly TableRows[]): RowLoss[] {
  const now = rowsByTable(newer);
  const [held, holds] = [totalRows(older), totalRows(newer)];
  const all: RowLoss[] = isLoss(held, holds) ? [{ table: undefined, held, holds }] : [];
  const tables = [...rowsByTable(older)]
    .filter(([table, rows]) => isLoss(rows, now.get(table) ?? 0))
    .map(([table, rows]) => ({ table, held: rows, holds: now.get(table) }))
    .sort((a, b) => b.held - a.held);
  return [...all, ...tables];
}

/** An older backup, and what it holds much more of than the newest one and than all in between. */
export interface LargerEarlierBackup<B> {
  readonly backup: B;
  readonly losses: readonly RowLoss[];
}

interface Counted {
  readonly tables?: readonly TableRows[] | undefined;
}

/**
 * For everything that was lost, the newest backup that still holds much more of it: losses can come
 * one after the other, each in another table.
 * @param older newest first.
 */
export function fullerBackups<B extends Counted>(
  newest: readonly TableRows[],
  older: readonly B[],
): LargerEarlierBackup<B>[] {
  const found = new Set<string | undefined>();
  return older.flatMap((backup) => {
    const losses = rowLosses(backup.tables ?? [], newest).filter(({ table }) => !found.has(table));
    for (const { table } of losses) found.add(table);
    return losses.length === 0 ? [] : [{ backup, losses }];
  });
}

/** So many tables are named, at most; and so many to whom gives them up. */
const [named, shown] = [3, 20];

/**
 * For people: `it holds 0 rows; NAME held 107,705`, or the tables that lost most.
 * @param now what the newer backup is called, and `then` the older one.
 */
export function describeLoss(now: string, then: string, losses: readonly RowLoss[]): string {
  const all = losses.find(({ table }) => table === undefined);
  if (all !== undefined) {
    return `${now} holds ${formatPlural(all.holds ?? 0, 'row')}; ${then} held ${formatCount(all.held)}`;
  }
  return describeTables(then, losses, named);
}

/** Before a person gives it up: the sum, and the tables one by one. */
export function describeLossByTable(now: string, then: string, losses: readonly RowLoss[]): string {
  const tables = losses.filter(({ table }) => table !== undefined);
  const sum = tables.length === losses.length ? [] : [describeLoss(now, then, losses)];
  return [...sum, ...(tables.length > 0 ? [describeTables(then, tables, shown)] : [])].join(': ');
}

function describeTables(then: string, losses: readonly RowLoss[], most: number): string {
  const tables = losses
    .slice(0, most)
    .map(
      ({ table = '', held, holds }) =>
        `${table} ${holds === undefined ? 'is gone' : `has ${formatPlural(holds, 'row')}`} (${formatCount(held)} in ${then})`,
    );
  const more = losses.length - tables.length;
  return [...tables, ...(more > 0 ? [`and ${formatPlural(more, 'more table')}`] : [])].join(', ');
}

const isLoss = (held: number, holds: number) =>
  held > muchMore * holds && (holds === 0 || held - holds >= daily);

/** A dump can have several COPY blocks of one table. */
function rowsByTable(tables: readonly TableRows[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const entry of tables) rows.set(entry.table, (rows.get(entry.table) ?? 0) + entry.rows);
  return rows;
}
