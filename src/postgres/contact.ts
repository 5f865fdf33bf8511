import { Failure } from '../base/errors.ts';
import { maintenanceDatabase } from './connection.ts';
import { ConnectionFailure, poolerFailure } from './connection-failure.ts';
import type { Server } from './psql.ts';
import { Session } from './psql-session.ts';
import { majorVersion } from './tools.ts';

/** A server that has answered. */
export interface Contacted {
  readonly server: Server;
  /** `15.18 (Debian 15.18-0+deb12u1)` */
  readonly version: string;
}

/** No such database, closed, no right to connect: another one may do. */
const elsewhere = ['3D000', '55000', '42501'];

/**
 * Makes the first contact with a server, in a database.
 * @throws Failure `cannotConnect`, also for a connection pooler.
 */
export async function contact(server: Server, database: string): Promise<Contacted> {
  await using session = new Session(server, database);
  await using other = new Session(server, database);
  const version = (await session.ask('SHOW server_version;')).join('');
  await requireSameBackend(session, other, server);
  return { server: { ...server, major: majorVersion(version) }, version };
}

/**
 * The same for work on databases as a whole: in `postgres`, or where that is missing or closed, in
 * `template1`.
 */
export async function contactMaintenance(server: Server): Promise<Contacted> {
  try {
    return await contact(server, maintenanceDatabase);
  } catch (error) {
    if (!(error instanceof ConnectionFailure && elsewhere.includes(error.code ?? ''))) throw error;
    const maintenance = 'template1';
    return contact({ ...server, maintenance }, maintenance).catch(() => {
      throw error;
    });
  }
}

/** How long a session may wait for another one's transaction to end before that tells something. */
const waitMs = 5_000;

/**
 * A pooler that hands out its connections by transaction (pgbouncer) loses what pg_dump has set for
 * its session, and digits with it. While another session has a transaction open, it must give us
 * another connection than before, or none.
 * @throws Failure `cannotConnect`.
 */
async function requireSameBackend(
  session: Session,
  other: Session,
  { connection }: Server,
): Promise<void> {
  const backend = 'SELECT pg_backend_pid();';
  const [before] = await session.ask(backend);
  const waited = new AbortController();
  let late: NodeJS.Timeout | undefined;
  try {
    await other.ask('BEGIN;');
    await other.ask(backend);
    late = setTimeout(() => {
      waited.abort();
      void other.ask('COMMIT;').catch(() => undefined);
    }, waitMs);
    const [after] = await session.ask(backend);
    if (after !== before || waited.signal.aborted) throw poolerFailure(connection);
  } catch (error) {
    throw error instanceof Failure ? error : poolerFailure(connection);
  } finally {
    clearTimeout(late);
  }
}
