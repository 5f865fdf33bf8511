import { planRetention, type Decision } from './policy.ts';
import { removeBackup } from '../backup-directory/remove.ts';
import { isIntact } from './intact.ts';
import type { Watched } from '../base/step.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { takeStock, type Stock, type StockOptions } from './candidates.ts';

/** What retention would do with each backup of a directory, oldest first. Changes nothing. */
export async function planForDirectory(
  directory: string,
  { signal, onStep, ...options }: Omit<StockOptions, 'isIntact'> & Watched,
): Promise<Decision<Stock>[]> {
  const isIntactNow = (backup: Backup) => isIntact(backup, { signal, onStep });
  const stock = await takeStock(directory, { ...options, isIntact: isIntactNow });
  return planRetention(stock, options.policy);
}

/**
 * Removes what a plan removes, oldest first, and calls `onRemoved` after each, until `signal` is
 * aborted.
 * @throws Failure `storage` at the first that cannot be removed.
 */
export async function applyPlan(
  directory: string,
  plan: readonly Decision<Stock>[],
  signal: AbortSignal,
  onRemoved: (decision: Decision<Stock>) => void,
): Promise<void> {
  for (const decision of plan) {
    if (decision.action !== 'remove') continue;
    await removeBackup(directory, decision.backup);
    onRemoved(decision);
    signal.throwIfAborted();
  }
}
