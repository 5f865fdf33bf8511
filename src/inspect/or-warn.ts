import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';

/**
 * What was noted in a backup directory, for who only looks: that it cannot be read is warned of, and nothing
 * is known then.
 * @param what is not known, a clause for people.
 */
export const orWarn = <T>(reading: Promise<T>, otherwise: T, what: string, log: Log): Promise<T> =>
  reading.catch((error: unknown) => {
    log.warn(`${what} is not known: ${messageOf(error)}`);
    return otherwise;
  });
