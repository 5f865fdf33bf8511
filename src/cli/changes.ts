import { formatCount } from '../base/format.ts';

interface Change {
  readonly table: string;
  readonly before: number | null;
  readonly now: number | null;
}

/**
 * How the rows of a table have changed: `31 → 0  LOST`; empty where they have not.
 * @param leftOut tables whose rows are not in the second backup on purpose.
 */
export function describeChange(
  { table, before, now }: Change,
  leftOut: readonly string[] = [],
): string {
  if (before === now) return '';
  if (before === null) return 'new';
  if (leftOut.includes(table)) return `${formatCount(before)} → left out`;
  const isLost = before > 0 && (now ?? 0) === 0;
  const after = now === null ? 'gone' : formatCount(now);
  return `${formatCount(before)} → ${after}${isLost ? '  LOST' : ''}`;
}
