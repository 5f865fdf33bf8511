/** How many rows of a table a dump holds, or a server has loaded. */
export interface TableRows {
  /** As the dump writes it: `public.users`, `public."My Table"`. */
  readonly table: string;
  readonly rows: number;
}

/** The sum over all tables. */
export function totalRows(tables: readonly TableRows[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}
