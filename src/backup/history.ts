import { Failure, messageOf } from '../base/errors.ts';
import { recordEvent } from '../backup-directory/history.ts';
import type { BackupEvent } from '../backup-directory/history-event.ts';
import type { Context } from '../context.ts';
import { IncompleteBackup } from './later-steps.ts';

type Run = Omit<BackupEvent, 'at' | 'event' | 'database'>;

/** Adds what became of a run to the history. */
export async function recordRun(
  { config, log, now }: Context,
  run: Run,
  level?: 'debug',
): Promise<void> {
  const { database } = config.connection;
  const at = now().toISOString();
  await recordEvent(config.backupDir, { at, event: 'backup', database, ...run }, log, level);
}

/** Adds a run that ended with an error to the history, which a disk that fails may not take either. */
export async function recordFailure(context: Context, error: unknown): Promise<void> {
  const message = messageOf(error);
  if (error instanceof IncompleteBackup) {
    const { backup, hint } = error;
    await recordRun(context, { outcome: 'incomplete', backup, message, hint });
    return;
  }
  const known = error instanceof Failure ? error : undefined;
  const run: Run = { outcome: 'failed', message, ...(known && { hint: known.hint }) };
  await recordRun(context, run, known?.kind === 'storage' ? 'debug' : undefined);
}
