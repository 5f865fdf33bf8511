/** A stretch of a plain-SQL dump. The bytes of all tokens, in order, are what the lexer was given. */
export type Token =
  /** White space and comments between statements. */
  | { readonly type: 'filler'; readonly bytes: Buffer }
  /** A part of a statement; the last part, with the semicolon, carries the whole. */
  | { readonly type: 'sql'; readonly bytes: Buffer; readonly statement?: Statement }
  /** A part of a psql command, from its backslash to the line break; the last part carries all. */
  | { readonly type: 'meta'; readonly bytes: Buffer; readonly command?: string }
  /** A stretch of COPY data in which `ended` rows end. */
  | { readonly type: 'rows'; readonly bytes: Buffer; readonly ended: number }
  /** The line `\.` that closes a COPY block. */
  | { readonly type: 'copyEnd'; readonly bytes: Buffer }
  /** A line that pg_dump wrote to stderr, see legacy/messages.ts. */
  | { readonly type: 'message'; readonly bytes: Buffer };

export interface Statement {
  /**
   * From the first word to the semicolon, without comments; undefined where longer than
   * `maxStatementBytes`.
   */
  readonly text: string | undefined;
  /** The table as the dump writes it (`public."My Table"`) where COPY data follows. */
  readonly copyInto: string | undefined;
  /** False where psql does not see its end, and waits for more. */
  readonly endsForPsql: boolean;
}

/** Longer statements (large objects, long INSERTs) pass through without their text. */
export const maxStatementBytes = 256 * 1024;
