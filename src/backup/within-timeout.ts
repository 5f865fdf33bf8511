import { withDeadline } from '../base/deadline.ts';
import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';

/**
 * Limits something to BACKUP_TIMEOUT: a backup until it is published, for what comes after does not make it worse; and
 * a command behind it.
 * @param what it is, for people.
 */
export async function withinTimeout<Result>(
  context: Context,
  what: string,
  work: (limited: Context) => Promise<Result>,
): Promise<Result> {
  const seconds = context.config.backupTimeoutSeconds;
  if (seconds === undefined) return work(context);
  const expire = () =>
    new Failure('dumpFailed', `${what} took longer than ${seconds} s (BACKUP_TIMEOUT)`, {
      hint: 'see what it is busy with, or raise BACKUP_TIMEOUT',
    });
  return withDeadline(context.signal, seconds * 1000, expire, (signal) =>
    work({ ...context, signal }),
  );
}
