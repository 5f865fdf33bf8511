import { describeLoss, fullerBackups } from '../backup-directory/row-loss.ts';
import type { Candidate } from './candidate.ts';

/**
 * Those that hold what was lost since, each with its reason. One that is not known to be good does not
 * stand in for an older one that is.
 * @param backups of one database, oldest first.
 */
export function heldBackups<C extends Candidate>(backups: readonly C[]): Map<C, string> {
  const counted = backups.filter(({ isFuture, tables }) => !isFuture && tables !== undefined);
  const [newest, ...older] = counted.toReversed();
  const held = new Map<C, string>();
  for (const among of [older, older.filter(({ knownGood }) => knownGood)]) {
    for (const { backup, losses } of fullerBackups(newest?.tables ?? [], among)) {
      const loss = describeLoss('the newest backup', 'this one', losses);
      held.set(backup, `holds what was lost since (until \`prune --accept-loss\`): ${loss}`);
    }
  }
  return held;
}
