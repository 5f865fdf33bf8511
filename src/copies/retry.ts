import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../base/log.ts';
import { Transient } from './destination.ts';

/** How long to wait before each new attempt. */
const pausesMs = [500, 1500, 4500];

/**
 * Does something that may fail for a moment, again and again.
 * @throws what the last attempt threw.
 */
export async function withRetries<Result>(
  signal: AbortSignal,
  log: Log,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (const pause of pausesMs) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      log.debug(`once more in ${pause} ms: ${error.message}`);
    }
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return attempt();
}
