import { setTimeout as sleep } from 'node:timers/promises';
import { ChangedMeanwhile } from '../postgres/dump-failure.ts';
import type { Context } from '../context.ts';

/** It shows early, and costs little: even what changes all the time is met at rest once. */
const maxTries = 12;
/** Not in step with what changes every second. */
const longestPauseMs = 500;

/**
 * Tries again where tables were dropped, truncated or altered while pg_dump began to read them.
 * @throws ChangedMeanwhile where that happens each time; and what the attempt throws.
 */
export async function untilUnchanged<T>(
  { log, signal }: Pick<Context, 'log' | 'signal'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile) || tries === maxTries) throw error;
      log.warn(`${error.message}; trying once more`);
      await sleep(Math.random() * longestPauseMs, undefined, { signal });
    }
  }
}
