import { quoteIdentifier } from '../base/sql.ts';
import type { Log } from '../base/log.ts';
import type { RestoreLock } from './lock.ts';

/** What a restore that was killed has left is removed by the next one, if it is certainly that. */
export async function removeLeftovers(lock: RestoreLock, log: Log): Promise<void> {
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
