import { withDeadline } from '../base/deadline.ts';
import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';

/** Limits a backup to BACKUP_TIMEOUT, until it is published: what comes after does not make it worse. */
export async function withinTimeout<Result>(
  context: Context,
  work: (limited: Context) => Promise<Result>,
): Promise<Result> {
  const seconds = context.config.backupTimeoutSeconds;
  if (seconds === undefined) return work(context);
  const expire = () =>
    new Failure('dumpFailed', `the backup took longer than ${seconds} s (BACKUP_TIMEOUT)`, {
      hint: 'see what the server is busy with, or raise BACKUP_TIMEOUT; no file was left',
    });
  return withDeadline(context.signal, seconds * 1000, expire, (signal) =>
    work({ ...context, signal }),
  );
}
