import { z } from 'zod';
import { query, type Server } from '../../postgres/psql.ts';

/** Which tables are to be loaded by themselves, with all that stands before them there. */
export interface TablesInOrder {
  /**
   * @param table as a dump writes it; one without a schema is meant in any.
   * @param columns how many its COPY statement names.
   */
  includes(table: string, columns: number | undefined): boolean;
}

const rowSchema = z.object({
  schema: z.string(),
  table: z.string(),
  /** Whether it must be in order also where all columns are given. */
  always: z.boolean(),
  /** Columns that a COPY can give. */
  columns: z.number(),
});

/**
 * What a row of a table sets off when it is loaded can be anything, unless nothing of it is anyone's
 * own: generated columns, checks, domains, partition keys and defaults that call functions or
 * operators which did not come with the server (pg_depend knows no others), and triggers. Such
 * functions can look into other tables. What only the server's own functions do to a row is the same
 * whatever is loaded beside it, or fails.
 */
const selectTables = `
  WITH RECURSIVE
    own AS (SELECT DISTINCT classid, objid, objsubid FROM pg_depend
             WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass)
               AND refobjid >= 16384),
    made_of(whole, part) AS (
      SELECT oid, typelem FROM pg_type WHERE typelem <> 0
      UNION ALL SELECT oid, typbasetype FROM pg_type WHERE typbasetype <> 0
      UNION ALL SELECT rngtypid, rngsubtype FROM pg_range
      UNION ALL SELECT t.oid, atttypid FROM pg_type AS t JOIN pg_attribute ON attrelid = typrelid
                 WHERE typrelid <> 0 AND attnum > 0),
    types AS (
      SELECT contypid AS oid FROM pg_constraint
       WHERE contypid <> 0 AND oid IN (SELECT objid FROM own WHERE classid = 'pg_constraint'::regclass)
      UNION SELECT rngtypid FROM pg_range WHERE rngcanonical::oid >= 16384
      UNION SELECT whole FROM types JOIN made_of ON part = types.oid),
    keys AS (
      SELECT objid AS oid FROM own WHERE classid = 'pg_class'::regclass
      UNION SELECT inhrelid FROM keys JOIN pg_inherits ON inhparent = keys.oid),
    computed AS (
      SELECT adrelid AS oid, bool_or(attgenerated <> '') AS always
        FROM pg_attrdef AS d JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
       WHERE d.oid IN (SELECT objid FROM own WHERE classid = 'pg_attrdef'::regclass) GROUP BY adrelid)
  SELECT nspname AS schema, relname AS table, found.always,
         (SELECT count(*) FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace,
    LATERAL (SELECT c.oid IN (SELECT oid FROM keys)
        OR EXISTS (SELECT FROM computed WHERE oid = c.oid AND always)
        OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'c'
             AND oid IN (SELECT objid FROM own WHERE classid = 'pg_constraint'::regclass))
        OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND atttypid IN (SELECT oid FROM types))
        OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) AS always) AS found
   WHERE relkind IN ('r', 'p', 'f', 'v') AND c.oid >= 16384
     AND (found.always OR c.oid IN (SELECT oid FROM computed))`;

/**
 * Asks a database that is being loaded, when its tables are there and have no rows yet.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function tablesInOrder(server: Server, database: string): Promise<TablesInOrder> {
  const rows = await query(server, database, rowSchema, selectTables);
  const byName = new Map<string, z.infer<typeof rowSchema>>();
  for (const row of rows) {
    byName.set(keyOf(row.schema, row.table), row);
    byName.set(keyOf('', row.table), row);
  }
  return {
    includes(table, columns) {
      const found = byName.get(keyOf(...splitName(table)));
      return found !== undefined && (found.always || (columns ?? Infinity) < found.columns);
    },
  };
}

const keyOf = (schema: string, table: string) => JSON.stringify([schema, table]);

/** `public."My Table"` → `['public', 'My Table']` */
function splitName(qualified: string): [schema: string, table: string] {
  const parts = [...qualified.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  );
  const [schema = '', table] = parts;
  return table === undefined ? ['', schema] : [schema, table];
}
