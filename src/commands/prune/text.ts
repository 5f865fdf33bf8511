import { formatBytes, formatPlural } from '../../base/format.ts';
import { formatTable } from '../../cli/table.ts';
import type { PruneDecision } from '../../retention/prune.ts';

/**
 * Each decision with its reason.
 * @param width columns of the terminal; undefined where there is none.
 */
export function describeDecisions(
  decisions: readonly PruneDecision[],
  dryRun: boolean,
  width: number | undefined,
): string {
  const removed = decisions.filter(({ action }) => action === 'remove');
  const bytes = removed.reduce((sum, decision) => sum + decision.bytes, 0);
  const total = `${dryRun ? 'would remove' : 'removed'} ${removed.length} of ${formatPlural(decisions.length, 'backup')} (${formatBytes(bytes)})`;
  if (decisions.length === 0) return total;
  // On a narrow screen a backup is called by its time.
  const isNarrow = width !== undefined && width < 70;
  const called = (name: string) => (isNarrow ? (/\d{8}_\d{6}/.exec(name)?.[0] ?? name) : name);
  const rows = decisions.map(({ action, name, reason }) => [action, called(name), reason]);
  return `${formatTable(rows, { width })}\n${total}`;
}
