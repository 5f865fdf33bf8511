import { messageOf } from '../base/errors.ts';
import { applyPlan, planForDirectory } from '../retention/apply.ts';
import { shortenHistory } from '../backup-directory/history.ts';
import { removeLeftovers } from '../backup-directory/remove.ts';
import type { Context } from '../context.ts';

/** What a run that was killed has left is removed by the next one. */
export async function cleanUp({ config, log }: Context): Promise<void> {
  const removed = await removeLeftovers(config.backupDir);
  for (const name of removed) {
    log.warn(`removed ${name}, left by a run that was interrupted`);
  }
  await shortenHistory(config.backupDir).catch((error: unknown) => log.warn(messageOf(error)));
}

/**
 * Applies retention after a backup.
 * @returns the names of what was removed.
 * @throws Failure `storage` at the first that cannot be removed.
 */
export async function removeOld(verified: string, context: Context): Promise<string[]> {
  const { config, log, signal, onStep } = context;
  const removed: string[] = [];
  const plan = await planForDirectory(config.backupDir, {
    policy: config.retention,
    now: context.now(),
    signal,
    onStep,
    verified,
    offsite: config.offsite.urls,
  });
  await applyPlan(config.backupDir, plan, signal, ({ backup: { name }, reason }) => {
    log.info(`removed ${name}: ${reason}`);
    removed.push(name);
  });
  return removed;
}
