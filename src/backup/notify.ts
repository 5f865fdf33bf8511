import { Heartbeat } from '../notify/heartbeat.ts';
import { databaseLabel, notify } from '../notify/notify.ts';
import { failedOutcome } from '../notify/outcome.ts';
import type { Context } from '../context.ts';
import { IncompleteBackup } from './later-steps.ts';
import { doneIn, type BackupReport } from './report.ts';

/** The dead-man's switch, if there is one, for a backup that has not begun. */
export function heartbeatOf({ config }: Context): Heartbeat | undefined {
  const { heartbeatUrl, proxies } = config;
  return heartbeatUrl === undefined ? undefined : new Heartbeat(heartbeatUrl, proxies);
}

/** Tells who is told of backups that one was made. */
export async function notifySuccess(
  context: Context,
  report: BackupReport,
  heartbeat: Heartbeat | undefined,
): Promise<void> {
  const { warning } = report;
  const done = doneIn(report);
  const database = databaseLabel(context);
  await notify(context, { job: 'backup', outcome: 'success', database, done, warning }, heartbeat);
}

/** Tells who is told of backups that one failed. */
export async function notifyFailure(
  context: Context,
  error: unknown,
  heartbeat: Heartbeat | undefined,
): Promise<void> {
  const outcome = failedOutcome('backup', databaseLabel(context), error);
  const made =
    error instanceof IncompleteBackup ? { warning: error.warning, done: error.done } : {};
  await notify(context, { ...outcome, ...made }, heartbeat);
}
