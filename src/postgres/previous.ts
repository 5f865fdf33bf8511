import { z } from 'zod';
import { maintenanceDatabase } from './connection.ts';
import { derivedName } from './databases.ts';
import { query, quoteLiteral, type Server } from './psql.ts';

/** A database that a restore has replaced and kept. */
export interface PreviousDatabase {
  readonly name: string;
  /** The name that it had. */
  readonly target: string;
  /** On the server's disk; null where we may not know. */
  readonly bytes: number | null;
  /** A DROP DATABASE was interrupted: nobody can connect. */
  readonly invalid: boolean;
  /** Its own, from before it was replaced. */
  readonly comment: string | null;
}

/** The name under which a database is kept that a restore replaces. */
export function previousName(target: string, stamp: string): string {
  return derivedName(target, `_before_${stamp}`);
}

/**
 * How the comment of a kept database begins. Behind it stands as JSON what it was, its own comment,
 * and when it was replaced in the order of the server's transactions: names can be cut, and clocks
 * can be wrong.
 */
const marker = 'kept by pratiko-backup: ';

/** What a database's own comment is, where it may be one of ours; null where it has none. */
export function ownComment(comment: string | null): string | null {
  if (comment?.startsWith(marker) !== true) return comment;
  return readRecord(comment.slice(marker.length))?.comment ?? null;
}

/**
 * As SQL: to be run in the transaction that renames.
 * @param quote a dollar quote that is in no name.
 */
export const recordReplaced = (previous: string, target: string, quote: string) => `
  DO ${quote} BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', ${quoteLiteral(previous)},
    '${marker}' || json_build_object('target', ${quoteLiteral(target)}, 'transaction', txid_current(),
      'comment', (SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ${quoteLiteral(previous)})));
  END ${quote};`;

const recordSchema = z.object({
  target: z.string(),
  transaction: z.number(),
  comment: z.string().nullable(),
});

const rowSchema = z.object({
  name: z.string(),
  bytes: z.number().nullable(),
  invalid: z.boolean(),
  record: z.string(),
});

/** As SQL: the databases that restores have replaced and kept, to be read by `previousSchema`. */
export const selectPrevious = `
  SELECT datname AS name, datconnlimit = -2 AS invalid,
         CASE WHEN datconnlimit <> -2 AND has_database_privilege(d.oid, 'CONNECT')
              THEN pg_database_size(d.oid) END AS bytes,
         substr(description, ${marker.length + 1}) AS record
    FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS description
   WHERE starts_with(description, '${marker}')`;

/** Oldest first, without those whose comment somebody has changed so that it says nothing. */
export const previousSchema = z.array(rowSchema).transform((rows): PreviousDatabase[] =>
  rows
    .flatMap(({ record: text, ...row }) => {
      const record = readRecord(text);
      return record ? [{ row, record }] : [];
    })
    .sort((a, b) => a.record.transaction - b.record.transaction)
    .map(({ row, record: { target, comment } }) => ({ ...row, target, comment }))
    // Somebody has given it its name back.
    .filter(({ name, target }) => name !== target),
);

function readRecord(text: string): z.infer<typeof recordSchema> | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What restores have replaced and kept on a server, oldest first. */
export async function previousDatabases(server: Server): Promise<PreviousDatabase[]> {
  const rows = await query(server, maintenanceDatabase, z.unknown(), selectPrevious);
  return previousSchema.parse(rows);
}
