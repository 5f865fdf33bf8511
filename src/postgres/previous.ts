import { quoteLiteral, startsWith } from '../base/sql.ts';
import { z } from 'zod';
import { derivedName } from './databases.ts';
import { maintenanceOf, query, type Server } from './psql.ts';
import { databaseSize } from './database-size.ts';

/** A database that a restore has replaced and kept. */
export interface PreviousDatabase {
  readonly name: string;
  /** The name that it had. */
  readonly target: string;
  /** Its size on the server's disk; null where we may not know. */
  readonly bytes: number | null;
  /** A DROP DATABASE was interrupted: nobody can connect. */
  readonly invalid: boolean;
  /** Its own, from before it was replaced. */
  readonly comment: OwnComment;
}

/** The name under which a database is kept that a restore replaces. */
export function previousName(target: string, stamp: string): string {
  return derivedName(target, `_before_${stamp}`);
}

/**
 * How the comment of a kept database begins. Behind it stands as JSON what it was, and when it was
 * replaced in the order of the server's transactions: names can be cut, and clocks can be wrong. On the
 * next line its own comment follows, in whatever encoding. (The first version kept it in the JSON.)
 */
const marker = 'kept by pratiko-backup: ';

/** Where a database's own comment is; the server copies it, for its bytes need not be text to us. */
export type OwnComment =
  /** What `database` has, without these words of ours at its beginning. */
  { readonly database: string; readonly without: string } | { readonly text: string | null };

/** The own comment of a database, from all of its comment. */
export function ownComment(database: string, comment: string | null): OwnComment {
  if (comment?.startsWith(marker) !== true) return { database, without: '' };
  const record = readRecord(comment);
  if (record?.comment !== undefined) return { text: record.comment };
  return { database, without: record ? comment.slice(0, comment.indexOf('\n') + 1) : '' };
}

/** As an SQL expression. */
function commentSql(comment: OwnComment): string {
  if ('text' in comment) return comment.text === null ? 'NULL' : quoteLiteral(comment.text);
  const own = `(SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ${quoteLiteral(comment.database)})`;
  // In UTF-8 it compares bytes: what is no text passes.
  return comment.without === '' ? own : `replace(${own}, ${quoteLiteral(comment.without)}, '')`;
}

/**
 * As SQL: gives a database a comment.
 * @param quote a dollar quote that is in no name.
 */
export const giveComment = (database: string, comment: OwnComment, quote: string) =>
  assignComment(database, commentSql(comment), quote);

/**
 * As SQL: to be run in the transaction that renames, while the database has this name already.
 * @param own its own comment.
 * @param quote a dollar quote that is in no name.
 */
export const recordReplaced = (previous: string, target: string, own: OwnComment, quote: string) =>
  assignComment(
    previous,
    `'${marker}' || json_build_object('target', ${quoteLiteral(target)}, 'transaction', txid_current())
      || E'\\n' || coalesce(${commentSql(own)}, '')`,
    quote,
  );

const assignComment = (database: string, expression: string, quote: string) => `
  DO ${quote} BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', ${quoteLiteral(database)}, ${expression});
  END ${quote};`;

const recordSchema = z.object({
  target: z.string(),
  transaction: z.number(),
  comment: z.string().nullable().optional(),
});

const rowSchema = z.object({
  name: z.string(),
  bytes: z.number().nullable(),
  invalid: z.boolean(),
  description: z.string(),
});

/** As SQL: the databases that restores have replaced and kept, to be read by `previousSchema`. */
export const selectPrevious = `
  SELECT datname AS name, datconnlimit = -2 AS invalid,
         ${databaseSize} AS bytes,
         description
    FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS description
   WHERE ${startsWith('description', marker)}`;

/** Oldest first, without those whose comment somebody has changed so that it says nothing. */
export const previousSchema = z.array(rowSchema).transform((rows): PreviousDatabase[] =>
  rows
    .flatMap(({ description, ...row }) => {
      const record = readRecord(description);
      const comment = ownComment(row.name, description);
      return record ? [{ ...row, record, comment }] : [];
    })
    .sort((a, b) => a.record.transaction - b.record.transaction)
    .map(({ record: { target }, ...row }) => ({ ...row, target }))
    // Somebody has given it its name back.
    .filter(({ name, target }) => name !== target),
);

function readRecord(comment: string): z.infer<typeof recordSchema> | undefined {
  const [record = ''] = comment.slice(marker.length).split('\n');
  try {
    return recordSchema.safeParse(JSON.parse(record)).data;
  } catch {
    return undefined;
  }
}

const rescuedMarker = 'rescued by pratiko-backup from ';

/** The comment of a database that holds what could be read of a damaged file. */
export const rescuedComment = (file: string) => `${rescuedMarker}${file}`;

const rescuedSchema = z.object({ name: z.string(), bytes: z.number().nullable() });

/** A database that holds what a salvage has rescued. */
export type RescuedDatabase = Readonly<z.infer<typeof rescuedSchema>>;

/** What salvages have rescued on a server, by name. */
export const rescuedDatabases = (server: Server): Promise<RescuedDatabase[]> =>
  query(
    server,
    maintenanceOf(server),
    rescuedSchema,
    `SELECT datname AS name, ${databaseSize} AS bytes
       FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS description
      WHERE ${startsWith('description', rescuedMarker)} ORDER BY 1`,
  );

/** What restores have replaced and kept on a server, oldest first. */
export async function previousDatabases(server: Server): Promise<PreviousDatabase[]> {
  const rows = await query(server, maintenanceOf(server), z.unknown(), selectPrevious);
  return previousSchema.parse(rows);
}
