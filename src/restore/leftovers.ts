import { quoteIdentifier } from '../base/sql.ts';
import type { Log } from '../base/log.ts';
import type { Context } from '../context.ts';
import type { Server } from '../postgres/psql.ts';
import { RestoreLock } from './lock.ts';
import type { ServerFacts } from './server-facts.ts';

/**
 * What a killed restore has left takes room: it goes before that is judged.
 * @returns whether there was any.
 * @throws Failure `locked` where another restore works on the same database.
 */
export async function tidyUp(
  { config, log }: Context,
  server: Server,
  waitSeconds: number,
  { leftovers }: ServerFacts,
): Promise<boolean> {
  if (leftovers.length === 0) return false;
  const { database } = config.connection;
  await using lock = await RestoreLock.acquire(server, database, waitSeconds);
  await removeLeftovers(lock, log);
  return true;
}

/** Removes what restores have left that were killed, if it is certainly that. */
async function removeLeftovers(lock: RestoreLock, log: Log): Promise<void> {
  const { dropped, kept } = await lock.removeLeftovers();
  for (const name of dropped) {
    log.warn(`removed database "${name}", left by a restore that was interrupted`);
  }
  for (const { name, reason } of kept) {
    log.warn(
      { hint: `if no restore runs: DROP DATABASE ${quoteIdentifier(name)}` },
      `database "${name}" looks like what an interrupted restore leaves, but was not removed: ${reason}`,
    );
  }
}
