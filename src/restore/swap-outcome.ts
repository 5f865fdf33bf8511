import { setTimeout as sleep } from 'node:timers/promises';
import { quoteLiteral } from '../base/sql.ts';
import { execute, maintenanceOf, within, type Server } from '../postgres/psql.ts';
import { endSessionNamed } from '../postgres/end-session.ts';
import { WayFailure } from '../postgres/way-failure.ts';
import { UndecidedSwap } from './failure.ts';

const askTimeoutMs = 10_000;
/** How long a server that has crashed may take to answer again. */
const recoveryMs = 30_000;
const askAgainMs = 500;

/** As long as a database exists, whatever it is called; empty where there is none. */
export async function identityOf(server: Server, database: string): Promise<string> {
  const sql = `SELECT oid FROM pg_database WHERE datname = ${quoteLiteral(database)};`;
  return (await execute(server, maintenanceOf(server), sql)).trim();
}

/**
 * A connection that was lost at COMMIT leaves open whether it happened: the server knows, as soon as
 * it answers again and the session of the swap has ended.
 * @throws Failure `restoreFailed` where it does not.
 */
export async function wasSwapped(
  server: Server,
  target: string,
  swap: { readonly identity: string; readonly key: bigint; readonly cause: unknown },
): Promise<boolean> {
  const { cause } = swap;
  const unended = cause instanceof WayFailure ? cause.session : undefined;
  const deadline = performance.now() + recoveryMs;
  for (;;) {
    const asking = within(server, askTimeoutMs);
    try {
      // It may not have got to its lock yet.
      if (unended !== undefined) {
        await execute(asking, maintenanceOf(server), endSessionNamed(unended));
      }
      await execute(asking, maintenanceOf(server), untilDecided(swap.key));
      return (await identityOf(asking, target)) === swap.identity;
    } catch {
      if (performance.now() > deadline) break; // until then it may be in recovery
      await sleep(askAgainMs);
    }
  }
  throw new UndecidedSwap(
    'restoreFailed',
    'the connection was lost during the swap, and the server does not answer: whether it happened is not known',
    {
      hint: `when the server runs again, \`pratiko-backup list\` tells: if it has kept a database of "${target}" just now, the restore is done`,
      cause,
    },
  );
}

/** Ends a swap that nobody waits for any more: it is undone, or it has got to its commit. */
const untilDecided = (key: bigint) => `DO $$ BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint << 32 | objid::bigint = ${key};
    PERFORM pg_advisory_lock(${key});
  END $$;`;
