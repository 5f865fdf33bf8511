import { z } from 'zod';
import { formatDuration, formatNames } from '../base/format.ts';
import { quoteIdentifier } from '../base/sql.ts';
import type { Context } from '../context.ts';
import { query, type Server } from '../postgres/psql.ts';
import { failed, ok, warning, type Check } from './check.ts';

const insideSchema = z.object({
  unreadable: z.array(z.string()),
  hidden: z.array(z.string()),
  now: z.number(),
});

/** What pg_dump reads, as far as the user may not; and the server's clock, in milliseconds since 1970. */
const selectInside = `
  WITH relations AS (
    SELECT c.oid, relkind, quote_ident(nspname) || '.' || quote_ident(relname) AS name
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
  SELECT (SELECT coalesce(json_agg(name), '[]') FROM relations WHERE NOT has_table_privilege(oid, 'SELECT')) AS unreadable,
         (SELECT coalesce(json_agg(name), '[]') FROM relations WHERE relkind <> 'S' AND row_security_active(oid)) AS hidden,
         extract(epoch FROM clock_timestamp()) * 1000 AS now`;

/** A clock that is wrong by so much gives backups wrong names. */
const clockMs = 60_000;

/** What the user may read of the database, and whether clocks agree. */
export async function insideChecks(server: Server, { config, now }: Context): Promise<Check[]> {
  const { database, user } = config.connection;
  const [inside] = await query(server, database, insideSchema, selectInside);
  if (inside === undefined) return [];
  const { unreadable, hidden } = inside;
  const off = Math.abs(inside.now - now().getTime());
  return [
    ...(unreadable.length === 0 && hidden.length === 0
      ? [ok('backup', `"${user}" may read everything in "${database}"`)]
      : []),
    ...(unreadable.length === 0
      ? []
      : [
          failed(
            'backup',
            `"${user}" may not read ${formatNames(unreadable, 3)}: a backup fails`,
            `make it the owner, or GRANT pg_read_all_data TO ${quoteIdentifier(user)}`,
          ),
        ]),
    ...(hidden.length === 0
      ? []
      : [
          failed(
            'backup',
            `row-level security hides rows of ${formatNames(hidden, 3)} from "${user}": a backup fails`,
            "dump as the tables' owner, or as a role with BYPASSRLS",
          ),
        ]),
    off < clockMs
      ? ok('clock', "it agrees with the server's")
      : warning(
          'clock',
          `it differs from the server's by ${formatDuration(off)}`,
          'set it right on both machines (NTP): backups are named and kept by it',
        ),
  ];
}
