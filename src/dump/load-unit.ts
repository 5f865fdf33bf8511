import type { Ordering } from './ordering.ts';

interface Text {
  readonly sql: readonly Buffer[];
  /** The line of the dump with which it begins, from 1. */
  readonly line: number;
  /** How many it has. */
  readonly lines: number;
  /** The statement without comments, of rows the COPY; empty where it is longer than `maxStatementBytes`. */
  readonly text: string;
}

/** A stretch of a dump that is loaded as a whole. */
export type LoadUnit =
  /** Rows of one COPY block, a statement of their own. */
  | (Text & {
      readonly type: 'rows';
      /** Which COPY block of the dump it belongs to, from 0, and the table of that. */
      readonly block: number;
      readonly table: string;
      readonly bytes: number;
      /** How many columns the COPY statement names; undefined where it names none. */
      readonly columns: number | undefined;
      /** The file has begun a transaction of its own, which only the session that did so is in. */
      readonly inTransaction: boolean;
    })
  /** A statement, with what stands before it. */
  | (Text & {
      readonly type: 'statement';
      /** What it needs of the order; undefined: everything before it done, nothing after it begun. */
      readonly order: Ordering | undefined;
      /** Makes a table that ANALYZE of another one reads, too: a child, or one of a foreign server. */
      readonly widensAnalyze: boolean;
    });
