/** How many rows of a table a dump holds, or a server has loaded. */
export interface TableRows {
  /** As the dump writes it: `public.users`, `public."My Table"`. */
  readonly table: string;
  readonly rows: number;
  /** The size of its rows in the dump, where that is known. */
  readonly bytes?: number | undefined;
}

/** The sum over all tables. */
export function totalRows(tables: readonly TableRows[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

/** Rows by table: a dump can have several COPY blocks of one. */
export function rowsByTable(tables: readonly TableRows[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const entry of tables) rows.set(entry.table, (rows.get(entry.table) ?? 0) + entry.rows);
  return rows;
}

/** Where two lists of tables first differ, for people; undefined where they are equal. */
export function firstDifference(
  found: readonly TableRows[],
  expected: readonly TableRows[],
): string | undefined {
  const length = Math.max(found.length, expected.length);
  for (let index = 0; index < length; index += 1) {
    const here = found[index];
    const there = expected[index];
    if (here?.table === there?.table && here?.rows === there?.rows) continue;
    const table = here?.table ?? there?.table ?? '';
    const rows = (entry: TableRows | undefined) =>
      entry?.table === table ? `${entry.rows} rows` : 'absent';
    return `${table} has ${rows(here)}, expected ${rows(there)}`;
  }
  return undefined;
}
