import { quoteLiteral } from '../base/sql.ts';
import { execute, type Server } from './psql.ts';

/** As SQL: whether the role `me` may end a session of `role` (pg_terminate_backend). */
export const mayBeEnded = `(me.rolsuper OR NOT role.rolsuper AND
  (pg_has_role(role.oid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER')))`;

/** As SQL: ends the sessions in databases, as far as the user may. */
export const endSessions = (databases: readonly string[]) => `
  SELECT count(pg_terminate_backend(client.pid))
    FROM pg_stat_activity AS client JOIN pg_roles AS role ON role.oid = client.usesysid, pg_roles AS me
   WHERE client.datname IN (${databases.map(quoteLiteral).join(', ')})
     AND me.rolname = current_user AND ${mayBeEnded};`;

/**
 * Which sessions of a database wait for one of it that waits itself, in a transaction, to be told more.
 * @returns as text that stays the same as long as they do; empty where there are none.
 */
export async function ownLocks(server: Server, database: string): Promise<string> {
  const select = `SELECT string_agg(waiting.pid || ' ' || idle.pid || ' ' || idle.state_change, ', ' ORDER BY waiting.pid)
    FROM pg_stat_activity AS waiting, unnest(pg_blocking_pids(waiting.pid)) AS blocking
    JOIN pg_stat_activity AS idle ON idle.pid = blocking
   WHERE waiting.datname = current_database() AND idle.datname = current_database()
     AND idle.state LIKE 'idle in transaction%';`;
  return (await execute(server, database, select)).trim();
}
