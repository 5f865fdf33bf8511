import { rowsByTable, type TableRows } from '../base/table-rows.ts';

/** A table of two backups. */
export interface TableChange {
  readonly table: string;
  /** Its rows in the first one; null where that has no such table. */
  readonly before: number | null;
  /** Its rows in the second one; null where that has no such table. */
  readonly now: number | null;
}

/** Every table of two backups, by name. */
export function compareTables(
  before: readonly TableRows[],
  now: readonly TableRows[],
): TableChange[] {
  const [then, here] = [rowsByTable(before), rowsByTable(now)];
  return [...new Set([...then.keys(), ...here.keys()])]
    .sort()
    .map((table) => ({ table, before: then.get(table) ?? null, now: here.get(table) ?? null }));
}
