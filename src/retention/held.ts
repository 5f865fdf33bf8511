import { describeLoss, largerHoldings } from '../backup-directory/loss.ts';
import type { Candidate } from './candidate.ts';

/**
 * Those that hold what was lost since, each with its reason. One that is not known to be good does not
 * stand in for an older one that is.
 * @param backups of one database, oldest first.
 * @param drop percent: what lost more counts.
 */
export function heldBackups<C extends Candidate>(
  backups: readonly C[],
  drop: number,
): Map<C, string> {
  const counted = backups.filter(({ isFuture, tables }) => !isFuture && tables !== undefined);
  const [newest, ...older] = counted.toReversed();
  const held = new Map<C, string>();
  if (newest === undefined) return held;
  for (const among of [older, older.filter(({ knownGood }) => knownGood)]) {
    for (const { backup, losses } of largerHoldings(newest, among, drop)) {
      const loss = describeLoss('the newest backup', 'this one', losses);
      held.set(backup, `holds what was lost since (until \`prune --accept-loss\`): ${loss}`);
    }
  }
  return held;
}
