import { rowsByTable, totalRows, type TableRows } from '../base/table-rows.ts';

/** About how many rows a table of the present database holds; null where the server has not counted. */
export interface LiveRows {
  /** Its name with its schema, quoted as the server does it. */
  readonly table: string;
  readonly rows: number | null;
}

/** The rows that are there and those that will be, before a person agrees. */
export interface Comparison {
  /** About. */
  readonly live: number;
  readonly backup: number;
  /** Tables that will hold fewer rows, those that lose most first; `backup` is null where it has none of that name. */
  readonly fewer: readonly {
    readonly table: string;
    readonly live: number;
    readonly backup: number | null;
  }[];
}

/** @returns undefined where one side is not known. */
export function compareRows(
  live: readonly LiveRows[] | undefined,
  backup: readonly TableRows[] | undefined,
): Comparison | undefined {
  if (live === undefined || backup === undefined) return undefined;
  const there = rowsByTable(backup);
  const fewer = live
    .map(({ table, rows }) => ({ table, live: rows ?? 0, backup: there.get(table) ?? null }))
    .filter((table) => table.live > (table.backup ?? 0))
    .sort((a, b) => b.live - (b.backup ?? 0) - (a.live - (a.backup ?? 0)));
  return {
    live: live.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
    backup: totalRows(backup),
    fewer,
  };
}
