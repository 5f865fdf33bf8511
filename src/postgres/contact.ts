import { Failure } from '../base/errors.ts';
import { serverLabel } from '../config/place.ts';
import type { Connection } from '../config/connection.ts';
import { maintenanceDatabase } from './connection.ts';
import { ConnectionFailure, poolerFailure } from './connection-failure.ts';
import type { Server } from './psql.ts';
import { KeptSession } from './kept-session.ts';
import { Session } from './psql-session.ts';
import { majorVersion } from '../base/major-version.ts';

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
  return await greet(server, database, session);
}

/** The first questions of a session, and of another one beside it. */
async function greet(server: Server, database: string, session: Session): Promise<Contacted> {
  await using other = new Session(server, database);
  const version = (await session.ask('SHOW server_version;')).join('');
  await requireSameBackend(session, other, server);
  return { server: { ...server, major: majorVersion(version) }, version };
}

/** A server for work on databases as a whole, with a session that is kept for it. Disposing ends that. */
export interface MaintainedServer extends Server, AsyncDisposable {}

/**
 * The same for work on databases as a whole: in `postgres`, or where that is missing or closed, in
 * `template1`.
 */
export async function contactMaintenance(server: Server): Promise<MaintainedServer> {
  try {
    return await maintain(server, maintenanceDatabase);
  } catch (error) {
    if (!(error instanceof ConnectionFailure && elsewhere.includes(error.code ?? ''))) throw error;
    const maintenance = 'template1';
    return maintain({ ...server, maintenance }, maintenance).catch(() => {
      throw error;
    });
  }
}

/** Something else than psql is heard among its answers. */
const disturbed = (connection: Connection) =>
  new Failure(
    'cannotConnect',
    `${serverLabel(connection)}: what psql answers does not arrive as it is`,
    {
      hint: 'does the command of POSTGRES_EXEC, or what it starts (a profile, a background job), write to its output, too? nothing of that is safe: silence it',
    },
  );

async function maintain(server: Server, database: string): Promise<MaintainedServer> {
  const session = new Session(server, database);
  try {
    const { server: contacted } = await greet(server, database, session);
    const kept = new KeptSession(contacted, database, session);
    return { ...contacted, kept, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long a session may wait for another one's transaction to end before that tells something. */
const waitMs = 5_000;

/** A pooler that is just opening a connection can give the right one once, by chance. */
const rounds = 2;

/**
 * A pooler that hands out its connections by transaction (pgbouncer) loses what pg_dump has set for
 * its session, and digits with it. While another session has a transaction open, and when it has ended
 * that, we must still have the connection that we had, and no other session may have it.
 * @throws Failure `cannotConnect`.
 */
async function requireSameBackend(
  session: Session,
  other: Session,
  { connection }: Server,
): Promise<void> {
  const backend = 'SELECT pg_backend_pid();';
  const ours = new Set([(await session.ask(backend)).join()]);
  const others = new Set<string>();
  const waited = new AbortController();
  let late: NodeJS.Timeout | undefined;
  try {
    for (let round = 0; round < rounds; round += 1) {
      await other.ask('BEGIN;');
      others.add((await other.ask(backend)).join());
      late = setTimeout(() => {
        waited.abort();
        void other.ask('COMMIT;').catch(() => undefined);
      }, waitMs);
      ours.add((await session.ask(backend)).join());
      clearTimeout(late);
      if (waited.signal.aborted) throw poolerFailure(connection);
      await other.ask('COMMIT;');
      ours.add((await session.ask(backend)).join());
    }
    if ([...ours, ...others].some((pid) => !/^\d+$/.test(pid))) throw disturbed(connection);
    if (ours.size > 1 || others.size > 1 || [...others].some((pid) => ours.has(pid))) {
      throw poolerFailure(connection);
    }
  } catch (error) {
    throw error instanceof Failure ? error : poolerFailure(connection);
  } finally {
    clearTimeout(late);
  }
}
