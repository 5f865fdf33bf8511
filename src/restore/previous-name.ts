import { previousName } from '../postgres/previous.ts';
import type { Situation } from './situation.ts';

/**
 * The name that the present database gets. Of two restores in one second, that of the second one is a
 * little longer.
 */
export function freeName({
  target,
  facts,
  stamp,
  nonce,
}: Pick<Situation, 'target' | 'facts' | 'stamp' | 'nonce'>): string {
  const name = previousName(target, stamp);
  // What tells two long names apart can be in what was cut off.
  const isTaken = facts.databases.includes(name) || !name.startsWith(target);
  return isTaken ? previousName(target, `${stamp}_${nonce}`) : name;
}
