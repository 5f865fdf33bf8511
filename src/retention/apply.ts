import { planRetention, type Decision } from './policy.ts';
import { removeBackup } from '../backup-directory/remove.ts';
import { takeStock, type Stock, type StockOptions } from './candidates.ts';

/** What retention would do with each backup of a directory, oldest first. Changes nothing. */
export async function planForDirectory(
  directory: string,
  options: StockOptions,
): Promise<Decision<Stock>[]> {
  return planRetention(await takeStock(directory, options), options.policy);
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
