import { z } from 'zod';
import { maintenanceDatabase } from './connection.ts';
import { derivedName } from './databases.ts';
import { query, quoteLiteral, type Server } from './psql.ts';

export const previousSchema = z.object({
  name: z.string(),
  /** On the server's disk; null where we may not know. */
  bytes: z.number().nullable(),
  /** A DROP DATABASE was interrupted: nobody can connect. */
  invalid: z.boolean(),
  /** Its own, from before it was replaced. */
  comment: z.string().nullable(),
});

/** A database that a restore has replaced and kept. */
export type PreviousDatabase = z.infer<typeof previousSchema>;

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

/** As SQL: to be run in the transaction that renames. */
export const recordReplaced = (previous: string, target: string) => `
  DO $do$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS %L', ${quoteLiteral(previous)},
    '${marker}' || json_build_object('target', ${quoteLiteral(target)}, 'transaction', txid_current(),
      'comment', (SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ${quoteLiteral(previous)})));
  END $do$;`;

/** As SQL: the databases that restores of a target have replaced and kept, oldest first. */
export const selectPrevious = (target: string) => `
  SELECT datname AS name, datconnlimit = -2 AS invalid, record->>'comment' AS comment,
         CASE WHEN datconnlimit <> -2 AND has_database_privilege(d.oid, 'CONNECT')
              THEN pg_database_size(d.oid) END AS bytes
    FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS description,
         CAST(CASE WHEN starts_with(description, '${marker}')
                   THEN substr(description, ${marker.length + 1}) END AS json) AS record
   WHERE record->>'target' = ${quoteLiteral(target)}
   ORDER BY (record->>'transaction')::bigint`;

/** The databases that restores of a target have replaced and kept, oldest first. */
export async function previousDatabases(
  server: Server,
  target: string,
): Promise<PreviousDatabase[]> {
  return query(server, maintenanceDatabase, previousSchema, selectPrevious(target));
}
