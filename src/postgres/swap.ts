import { setTimeout as sleep } from 'node:timers/promises';
import { describeDatabase, maintenanceDatabase } from './databases.ts';
import { execute, quoteIdentifier, quoteLiteral, type Server } from './psql.ts';

export interface Swap {
  /** The name that clients use. */
  readonly target: string;
  /** The database that gets this name. */
  readonly scratch: string;
  /** The name for the one that has it now; undefined where there is none. */
  readonly previous: string | undefined;
}

const terminateEveryMs = 100;
const askTimeoutMs = 10_000;

/**
 * Renames both databases in one transaction: clients find either the old database or the new one.
 * A rename waits 5 s for the database's sessions and fails if some stay, so a second session ends
 * them, again and again, until the first is done. Clients that connect meanwhile wait for it.
 * @throws SqlError if it cannot be done; nothing has changed then.
 */
export async function swapDatabases(server: Server, swap: Swap): Promise<void> {
  const target = quoteIdentifier(swap.target);
  const renames = [
    ...(swap.previous === undefined
      ? []
      : [`ALTER DATABASE ${target} RENAME TO ${quoteIdentifier(swap.previous)};`]),
    `ALTER DATABASE ${quoteIdentifier(swap.scratch)} RENAME TO ${target};`,
  ];
  const done = new AbortController();
  const terminating = terminateUntil(server, [swap.target, swap.scratch], done.signal);
  try {
    await execute(server, maintenanceDatabase, ['BEGIN;', ...renames, 'COMMIT;'].join('\n'));
  } catch (error) {
    if (!(await wasSwapped(server, swap))) throw error;
  } finally {
    done.abort();
    await terminating;
  }
}

/** A connection that was lost at COMMIT leaves open whether it happened: the server knows. */
async function wasSwapped(server: Server, { scratch }: Swap): Promise<boolean> {
  const asking = { ...server, signal: AbortSignal.timeout(askTimeoutMs) };
  return (await describeDatabase(asking, maintenanceDatabase, scratch)) === undefined;
}

/** Ends what may be ended, until told to stop; what may not shows in the rename that fails. */
async function terminateUntil(
  server: Server,
  databases: string[],
  done: AbortSignal,
): Promise<void> {
  const names = databases.map(quoteLiteral).join(', ');
  const terminate = `SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity, pg_roles AS me, pg_roles AS client
    WHERE datname IN (${names}) AND me.rolname = current_user AND client.oid = usesysid
      AND (me.rolsuper OR NOT client.rolsuper AND
           (pg_has_role(client.oid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER')));`;
  while (!done.aborted) {
    await execute(server, maintenanceDatabase, terminate).catch(() => undefined);
    await sleep(terminateEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}
