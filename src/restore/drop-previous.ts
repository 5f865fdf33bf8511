import { messageOf } from '../base/errors.ts';
import { quoteIdentifier } from '../base/sql.ts';
import type { Context } from '../context.ts';
import { dropDatabase } from '../postgres/databases.ts';
import { within, type Server } from '../postgres/psql.ts';
import type { RestorePlan } from './plan.ts';

const dropTimeoutMs = 60_000;

/**
 * Drops the database that was replaced.
 * @returns whether it is gone; a warning tells why not.
 */
export async function dropPrevious(
  { log }: Context,
  server: Server,
  { previous }: RestorePlan,
): Promise<boolean> {
  if (previous === undefined) return false;
  try {
    // Also after an interruption: the restore is done.
    await dropDatabase(within(server, dropTimeoutMs), previous);
    return true;
  } catch (error) {
    log.warn(
      { hint: `DROP DATABASE ${quoteIdentifier(previous)} when nothing uses it any more` },
      `the restore is done, but the previous database could not be dropped: ${messageOf(error)}`,
    );
    return false;
  }
}
