import { quoteLiteral } from './psql.ts';

/** As SQL: whether the role `me` may end a session of `role` (pg_terminate_backend). */
export const mayBeEnded = `(me.rolsuper OR NOT role.rolsuper AND
  (pg_has_role(role.oid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER')))`;

/** As SQL: ends the sessions in databases, as far as the user may. */
export const endSessions = (databases: readonly string[]) => `
  SELECT count(pg_terminate_backend(client.pid))
    FROM pg_stat_activity AS client JOIN pg_roles AS role ON role.oid = client.usesysid, pg_roles AS me
   WHERE client.datname IN (${databases.map(quoteLiteral).join(', ')})
     AND me.rolname = current_user AND ${mayBeEnded};`;
