import { formatBytes, formatCount, formatPlural } from '../base/format.ts';
import { rowsByTable, totalRows, type TableRows } from '../base/table-rows.ts';

/** What an older backup holds much more of than a newer one. */
export interface Loss {
  readonly of: 'rows' | 'table' | 'bytes';
  /** The table; undefined: all tables together. */
  readonly table: string | undefined;
  /** How much of it the older one holds. */
  readonly held: number;
  /** How much the newer one holds; undefined where it has no such table. */
  readonly holds: number | undefined;
}

/** What is known of a backup's contents; undefined where nothing is. */
export interface Holdings {
  readonly tables?: readonly TableRows[] | undefined;
  /** The size of its SQL. */
  readonly dumpBytes?: number | undefined;
  /** Tables whose rows were left out on purpose: they tell nothing. */
  readonly leftOut?: { readonly tables: readonly string[] } | undefined;
}

/** A table that has lost fewer rows than that, and is not empty, is at its daily work. */
const dailyRows = 10;
/** So many bytes of definitions more or less say nothing. */
const dailyBytes = 4096;

/**
 * The only judgement of what was lost between two backups: more than so many percent of all rows, or of
 * those of a table, or a table that was emptied or is gone; where no rows tell, of the bytes (large objects,
 * texts that were emptied). The usual form is one table that was emptied in a database full of logs, where
 * the sum hardly tells.
 * @param drop percent (SUSPICIOUS_DROP).
 */
export function lossesBetween(before: Holdings, newer: Holdings, drop: number): Loss[] {
  const older = comparable(before, newer);
  if (older.tables === undefined || newer.tables === undefined) return [];
  if (hasOnlyGrown(older, newer)) return [];
  const now = rowsByTable(newer.tables);
  const [held, holds] = [totalRows(older.tables), totalRows(newer.tables)];
  const all: Loss[] = isLoss('rows', held, holds, drop)
    ? [{ of: 'rows', table: undefined, held, holds }]
    : [];
  const tables = [...rowsByTable(older.tables)]
    .filter(([table, rows]) => isLoss('table', rows, now.get(table) ?? 0, drop))
    .map(([table, rows]): Loss => ({ of: 'table', table, held: rows, holds: now.get(table) }))
    .sort((a, b) => b.held - a.held);
  if (all.length > 0 || tables.length > 0) return [...all, ...tables];
  const [were, are] = [older.dumpBytes ?? 0, newer.dumpBytes ?? 0];
  return isLoss('bytes', were, are, drop)
    ? [{ of: 'bytes', table: undefined, held: were, holds: are }]
    : [];
}

/** Whether what is held is so much more than what is left that it counts as lost. */
function isLoss(of: Loss['of'], held: number, holds: number, drop: number): boolean {
  const daily = of === 'bytes' ? dailyBytes : dailyRows;
  return (held - holds) * 100 > drop * held && (holds === 0 || held - holds >= daily);
}

/** An older backup without the rows that a newer one leaves out on purpose. */
function comparable(older: Holdings, { leftOut }: Holdings): Holdings {
  if (leftOut === undefined || older.tables === undefined) return older;
  const isOut = new Set(leftOut.tables);
  const [gone, tables] = [true, false].map((out) =>
    older.tables?.filter(({ table }) => isOut.has(table) === out),
  );
  if (gone?.some(({ bytes }) => bytes === undefined)) return { tables };
  const bytes = gone?.reduce((sum, { bytes: each = 0 }) => sum + each, 0) ?? 0;
  return { tables, dumpBytes: older.dumpBytes && older.dumpBytes - bytes };
}

/** The usual case, told without looking anything up: a directory can hold thousands of backups. */
function hasOnlyGrown(older: Holdings, newer: Holdings): boolean {
  const [before = [], now = []] = [older.tables, newer.tables];
  return (
    (newer.dumpBytes ?? 0) >= (older.dumpBytes ?? 0) &&
    before.every(({ table, rows }, index) => {
      const same = now[index];
      return same?.table === table && same.rows >= rows;
    })
  );
}

/** An older backup, and what it holds much more of than the newest one and than all in between. */
export interface LargerEarlierBackup<B> {
  readonly backup: B;
  readonly losses: readonly Loss[];
}

/**
 * For everything that was lost, the newest backup that still holds much more of it, and where it was lost in
 * steps, one for each step: who looks at the last one alone would give up what went before. Losses can also
 * come one after the other, each in another table.
 * @param older newest first.
 */
export function largerHoldings<B extends Holdings>(
  newest: Holdings,
  older: readonly B[],
  drop: number,
): LargerEarlierBackup<B>[] {
  const most = new Map<string, number>();
  const key = ({ of, table = '' }: Loss) => `${of} ${table}`;
  return older.flatMap((backup) => {
    const losses = lossesBetween(backup, newest, drop).filter((loss) => {
      const newer = most.get(key(loss));
      return newer === undefined || isLoss(loss.of, loss.held, newer, drop);
    });
    for (const loss of losses) most.set(key(loss), loss.held);
    return losses.length === 0 ? [] : [{ backup, losses }];
  });
}

/** So many tables are named, at most; and so many to whom gives them up. */
const [named, shown] = [3, 20];

/**
 * For people: `it holds 0 rows; NAME held 107,705`, and the tables that lost most.
 * @param now what the newer backup is called, and `then` the older one.
 */
export function describeLoss(now: string, then: string, losses: readonly Loss[]): string {
  const all = losses.find(({ of }) => of !== 'table');
  if (all === undefined) return describeTables(then, losses, named);
  const tables = losses.filter(({ of }) => of === 'table');
  const which = tables.length === 0 ? '' : `: ${describeTables(then, tables, named)}`;
  return all.of === 'rows'
    ? `${now} holds ${formatPlural(all.holds ?? 0, 'row')}; ${then} held ${formatCount(all.held)}${which}`
    : `${now} is ${formatBytes(all.holds ?? 0)} of SQL; ${then} was ${formatBytes(all.held)}`;
}

/** Before a person gives it up: the sum, and the tables one by one. */
export function describeLossByTable(now: string, then: string, losses: readonly Loss[]): string {
  const tables = losses.filter(({ of }) => of === 'table');
  const all = losses.filter(({ of }) => of !== 'table');
  const sum = all.length === 0 ? [] : [describeLoss(now, then, all)];
  return [...sum, ...(tables.length > 0 ? [describeTables(then, tables, shown)] : [])].join(': ');
}

function describeTables(then: string, losses: readonly Loss[], most: number): string {
  const tables = losses
    .slice(0, most)
    .map(
      ({ table = '', held, holds }) =>
        `${table} ${holds === undefined ? 'is gone' : `has ${formatPlural(holds, 'row')}`} (${formatCount(held)} in ${then})`,
    );
  const more = losses.length - tables.length;
  return [...tables, ...(more > 0 ? [`and ${formatPlural(more, 'more table')}`] : [])].join(', ');
}
