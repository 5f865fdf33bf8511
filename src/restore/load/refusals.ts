/** A statement that is not in the new database. */
export interface RefusedStatement {
  /** Its line of the dump, from 1. */
  readonly line: number;
  /** As pg_dump calls it: `TABLE public.places`; undefined where the dump does not say. */
  readonly object: string | undefined;
  /** Its first line. */
  readonly statement: string;
  /** What the server said. */
  readonly reason: string;
}

/** A table that is not in the new database, and what goes with it. */
export interface AbsentTable {
  /** As the dump writes it. */
  readonly table: string;
  /** Statements that would have added something to it. */
  statements: number;
  /** INSERT statements that would have added rows to it. */
  inserts: number;
}

/** A refused statement as it stands in the dump, and what was set for it since the one before. */
export interface RefusedSql {
  readonly refused: RefusedStatement;
  readonly settings: readonly Buffer[];
  readonly sql: readonly Buffer[];
  /** It would only have added something to a table that is not there, and was not tried. */
  readonly isAddition: boolean;
}

/** What a server did not take of a dump, where a person accepts that. */
export interface Refusals {
  readonly statements: readonly RefusedSql[];
  /** Tables that are absent, with as many rows as the file has of them. */
  readonly tables: readonly (AbsentTable & { readonly rows: number })[];
}
