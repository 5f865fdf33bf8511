import { formatCount } from '../base/format.ts';

/** How the rows of a table have changed: `31 → 0  LOST`; empty where they have not. */
export function describeChange(change: {
  readonly before: number | null;
  readonly now: number | null;
}): string {
  const { before, now } = change;
  if (before === now) return '';
  if (before === null) return 'new';
  const isLost = before > 0 && (now ?? 0) === 0;
  const after = now === null ? 'gone' : formatCount(now);
  return `${formatCount(before)} → ${after}${isLost ? '  LOST' : ''}`;
}
