import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../base/errors.ts';
import { giveComment, recordReplaced, type OwnComment } from '../postgres/previous.ts';
import { maintenanceOf, execute, query, within, type Server } from '../postgres/psql.ts';
import { SqlError } from '../postgres/sql-error.ts';
import { identityOf, wasSwapped } from './swap-outcome.ts';
import { endSessions } from '../postgres/sessions.ts';

export interface Swap {
  /** The name that clients use. */
  readonly target: string;
  /** The database that gets this name. */
  readonly scratch: string;
  /** The name for the one that has it now; undefined where there is none. */
  readonly previous: string | undefined;
  /** For the database that gets the target's name. */
  readonly comment: OwnComment;
  /** The own comment of the one that has it now. */
  readonly targetComment: OwnComment;
}

/** A swap takes moments; what holds it up longer will not end by itself. */
const swapTimeoutMs = 60_000;
const terminateEveryMs = 100;
const askTimeoutMs = 10_000;

/**
 * Swaps two databases, or not: an interruption would leave it open which.
 * @throws Failure `restoreFailed`: nothing has changed; UndecidedSwap.
 */
export async function swapDatabases(server: Server, swap: Swap): Promise<void> {
  const signal = AbortSignal.timeout(swapTimeoutMs);
  try {
    await renameBoth(within(server, signal), swap);
  } catch (error) {
    if (!signal.aborted || error instanceof Failure) throw error;
    throw new Failure('restoreFailed', 'the databases could not be swapped within 60 s', {
      hint: 'another session is at work on the database itself (ALTER DATABASE?): end it and restore again',
      cause: error,
    });
  }
}

/**
 * Renames both databases in one transaction: clients find either the old database or the new one.
 * A rename waits 5 s for the database's sessions and fails if some stay, so a second session ends
 * them, again and again, until the first is done.
 * @throws Failure `restoreFailed` with who is in the way; nothing has changed then.
 */
async function renameBoth(server: Server, swap: Swap): Promise<void> {
  const identity = await identityOf(server, swap.scratch);
  const key = randomBytes(8).readBigInt64BE();
  const done = new AbortController();
  const terminating = terminateUntil(server, [swap.target, swap.scratch], done.signal);
  try {
    await execute(server, maintenanceOf(server), swapStatements(swap, key).join('\n'));
  } catch (error) {
    if (identity !== '' && (await wasSwapped(server, swap.target, { identity, key, cause: error })))
      return;
    throw error instanceof SqlError ? await blocked(server, swap, error) : error;
  } finally {
    done.abort();
    await terminating;
  }
}

/** @param key of a lock that is held until it is decided whether the swap happens. */
function swapStatements(
  { target, scratch, previous, comment, targetComment }: Swap,
  key: bigint,
): string[] {
  const [targetName, scratchName] = [quoteIdentifier(target), quoteIdentifier(scratch)];
  const quote = `$_${randomUUID().replaceAll('-', '')}$`;
  return [
    'BEGIN;',
    `SELECT pg_advisory_xact_lock(${key});`,
    giveComment(scratch, comment, quote),
    ...(previous === undefined
      ? []
      : [
          recordReplaced(target, target, targetComment, quote),
          `ALTER DATABASE ${targetName} RENAME TO ${quoteIdentifier(previous)};`,
        ]),
    `ALTER DATABASE ${scratchName} RENAME TO ${targetName};`,
    commitForGood,
    endWaitingClients,
    'COMMIT;',
  ];
}

/**
 * A client that connects during the swap has looked the name up already and waits for the database
 * that had it; after the commit it would be told that this does not exist. It is ended like all
 * others instead, and finds the new one when it connects again. A superuser can also keep those
 * that come at the last moment from looking the name up, unless another restore does that just now:
 * PostgreSQL calls it a deadlock at once.
 */
const endWaitingClients = `DO $$
  DECLARE
    renamed oid[] := ARRAY(SELECT oid FROM pg_database WHERE xmin::text = (txid_current() % (2^32)::bigint)::text);
    waiting bigint;
    quiet integer := 0;
  BEGIN
    BEGIN
      SET LOCAL lock_timeout = '500ms';
      LOCK TABLE pg_catalog.pg_database IN ACCESS EXCLUSIVE MODE;
    EXCEPTION WHEN insufficient_privilege OR lock_not_available OR deadlock_detected THEN NULL;
    END;
    FOR attempt IN 1..100 LOOP
      SELECT count(pg_terminate_backend(pid)) INTO waiting FROM pg_locks
       WHERE NOT granted AND locktype = 'object' AND classid = 'pg_database'::regclass
         AND objid = ANY (renamed);
      quiet := CASE waiting WHEN 0 THEN quiet + 1 ELSE 0 END;
      EXIT WHEN quiet = 2;
      PERFORM pg_sleep(0.01);
    END LOOP;
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END $$;`;

/** Names those who keep the databases from being renamed. */
async function blocked(server: Server, swap: Swap, error: SqlError): Promise<Failure> {
  const names = [swap.target, swap.scratch].map(quoteLiteral).join(', ');
  const holders = await query(
    within(server, askTimeoutMs),
    maintenanceOf(server),
    holderSchema,
    `SELECT pid, coalesce(usename, backend_type) AS user, coalesce(application_name, '') AS application,
            coalesce(client_addr::text, 'local') AS address
       FROM pg_stat_activity WHERE datname IN (${names}) ORDER BY pid LIMIT 10`,
  ).catch(() => []);
  const held = holders.map(
    ({ pid, user, application, address }) =>
      `process ${pid} (user "${user}", ${application || 'unnamed'}, ${address})`,
  );
  return new Failure('restoreFailed', `the databases cannot be swapped: ${error.message}`, {
    hint: `${held.length === 0 ? 'stop the application (`docker compose stop app`)' : `stop what keeps it busy: ${held.join(', ')}`}, and restore again; its other sessions were ended and may connect again`,
    cause: error,
  });
}

const holderSchema = z.object({
  pid: z.number(),
  user: z.string(),
  application: z.string(),
  address: z.string(),
});

/**
 * What a load has not waited for is on the disk with this commit. It does not wait for standbys: one
 * that is away would keep everybody from connecting.
 */
const commitForGood = 'SET LOCAL synchronous_commit = local;';

/** Ends what may be ended, until told to stop; what may not shows in the rename that fails. */
async function terminateUntil(
  server: Server,
  databases: string[],
  done: AbortSignal,
): Promise<void> {
  while (!done.aborted) {
    await execute(server, maintenanceOf(server), endSessions(databases)).catch(() => undefined);
    await sleep(terminateEveryMs, undefined, { signal: done }).catch(() => undefined);
  }
}
