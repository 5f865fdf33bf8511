import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { maintenanceDatabase } from './databases.ts';
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
  const renaming = execute(
    server,
    maintenanceDatabase,
    ['BEGIN;', ...renames, 'COMMIT;'].join('\n'),
  );
  const done = new AbortController();
  const [renamed, terminated] = await Promise.allSettled([
    renaming.finally(() => done.abort()),
    terminateUntil(server, [swap.target, swap.scratch], done.signal),
  ]);
  if (renamed.status === 'fulfilled') return;
  const error: unknown = renamed.reason;
  if (terminated.status === 'rejected' && error instanceof Error) {
    error.message += ` (${messageOf(terminated.reason)})`;
  }
  throw error;
}

async function terminateUntil(
  server: Server,
  databases: string[],
  done: AbortSignal,
): Promise<void> {
  const names = databases.map(quoteLiteral).join(', ');
  while (!done.aborted) {
    await execute(
      server,
      maintenanceDatabase,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${names});`,
    );
    await sleep(terminateEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}
