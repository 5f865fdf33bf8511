import type { Candidate } from './candidate.ts';

/** How many weeks, months and years keep a backup each. */
export interface SlotPolicy {
  readonly weeks: number;
  readonly months: number;
  readonly years: number;
}

/** A week, month or year, and the backups that were made in it. */
export interface Slot<C extends Candidate> {
  /** For people: `week 2025-W48`, `month 2025-11`, `year 2025`. */
  readonly label: string;
  /** Oldest first; those that may be good. */
  readonly members: readonly C[];
}

/**
 * The last weeks, months and years of which there is a backup, each with its backups: what has none is not
 * counted, so that a standstill costs nothing.
 * @param backups of one database, oldest first, none of them dated in the future.
 * @param confirmedDay what is dated later stands in no slot yet: the clock may have jumped.
 */
export function slotsOf<C extends Candidate>(
  backups: readonly C[],
  policy: SlotPolicy,
  confirmedDay: number,
): Slot<C>[] {
  const past = backups.filter(({ day, isBad }) => day <= confirmedDay && !isBad);
  return [
    ...lastSlots(past, policy.weeks, weekOf),
    ...lastSlots(past, policy.months, monthOf),
    ...lastSlots(past, policy.years, yearOf),
  ];
}

/** The one that a slot keeps: its newest good one, or its only one; undefined where none is known to be good. */
export const keeperOf = <C extends Candidate>({ members }: Slot<C>): C | undefined =>
  members.length === 1 ? members[0] : members.findLast(({ knownGood }) => knownGood);

/** The backup of a slot that must be read to know which one it keeps. */
export function nextToRead<C extends Candidate>(
  { members }: Slot<C>,
  isUnread: (backup: C) => boolean,
): C | undefined {
  if (members.length === 1) return undefined;
  const newest = members.findLast((backup) => backup.knownGood || isUnread(backup));
  return newest?.knownGood ? undefined : newest;
}

function lastSlots<C extends Candidate>(
  backups: readonly C[],
  count: number,
  labelOf: (day: number) => string,
): Slot<C>[] {
  const slots = new Map<string, C[]>();
  for (const backup of backups.toSorted((a, b) => a.day - b.day)) {
    const label = labelOf(backup.day);
    const members = slots.get(label);
    if (members === undefined) slots.set(label, [backup]);
    else members.push(backup);
  }
  const last = count === 0 ? [] : [...slots].slice(-count);
  return last.map(([label, members]) => ({ label, members }));
}

const dateOf = (day: number) => new Date(day * 86_400_000).toISOString();
const yearOf = (day: number) => `year ${dateOf(day).slice(0, 4)}`;
const monthOf = (day: number) => `month ${dateOf(day).slice(0, 7)}`;

/** ISO 8601: weeks begin on Monday, and belong to the year in which their Thursday is; day 0 is a Thursday. */
function weekOf(day: number): string {
  const thursday = Math.floor((day + 3) / 7) * 7;
  const year = dateOf(thursday).slice(0, 4);
  const newYear = Date.parse(`${year}-01-01`) / 86_400_000;
  const week = Math.floor((thursday - newYear) / 7) + 1;
  return `week ${year}-W${String(week).padStart(2, '0')}`;
}
