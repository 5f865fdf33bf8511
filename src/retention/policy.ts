import { byAge } from '../backup-directory/backup.ts';
import { formatPlural } from '../base/format.ts';
import type { Candidate } from './candidate.ts';
import { heldBackups } from './held.ts';
import { keeperOf, nextToRead, slotsOf, type Slot, type SlotPolicy } from './slots.ts';

export interface RetentionPolicy extends SlotPolicy {
  /** Calendar days that are kept: with one backup a day, as many backups. */
  readonly days: number;
  /** How many good backups remain, however old. At least 1. */
  readonly keepMin: number;
  /** Percent of rows or bytes: what newer backups have lost more of is held. */
  readonly suspiciousDrop: number;
}

export interface Decision<C extends Candidate> {
  readonly backup: C;
  readonly action: 'keep' | 'remove';
  /** For people: `3 days before the newest good backup, within 7 days`. */
  readonly reason: string;
}

/**
 * Decides which backups remain. One is removed only if it is older than the policy's days and at
 * least `keepMin` backups that are newer are known to be good; those dated in the future do not
 * count. Beyond the days, the newest good one remains of each of the last weeks, months and years.
 *
 * Whatever was lost since an older backup was made, the newest one that still holds it stays, however
 * old: the database may have been emptied, and backups of that go on.
 *
 * The backups of each database are looked at by themselves, those of an unknown one with all.
 *
 * Age is counted up to the newest good backup and not to the clock, and a leap of more than a day
 * since the backup before it is believed only when a second backup confirms it: a clock that jumps
 * ages nothing.
 *
 * What would go stays as long as a copy of it is wanted elsewhere, and is not there.
 * @returns the decisions, oldest backup first, whatever the order they are given in.
 */
export function planRetention<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Decision<C>[] {
  const sorted = backups.toSorted(byAge);
  const decisions = new Map<C, Decision<C>>();
  for (const [database, concerned] of byDatabase(sorted)) {
    for (const decision of planFor(concerned, policy)) {
      if (decision.backup.database === database) decisions.set(decision.backup, decision);
    }
  }
  return sorted.flatMap((backup) => decisions.get(backup) ?? []);
}

/** Backups that must be read before retention is decided, for which one a week or month keeps depends on it. */
export function undecided<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
  isUnread: (backup: C) => boolean,
): C[] {
  return byDatabase(backups.toSorted(byAge)).flatMap(([, concerned]) =>
    collect(concerned, policy).slots.flatMap((slot) => nextToRead(slot, isUnread) ?? []),
  );
}

const byDatabase = <C extends Candidate>(
  sorted: readonly C[],
): [database: string | undefined, concerned: C[]][] =>
  [...new Set(sorted.map((backup) => backup.database))].map((database) => [
    database,
    sorted.filter((backup) => concerns(backup, database)),
  ]);

const concerns = (backup: Candidate, database: string | undefined) =>
  backup.database === undefined || database === undefined || backup.database === database;

/** The backups of one database, and what the rules need to know of all of them. */
interface Collection<C extends Candidate = Candidate> {
  readonly policy: RetentionPolicy;
  /** Known to be good; undefined where none is. */
  readonly newestGood: Candidate | undefined;
  /** The day of that one, as far as another backup confirms it. */
  readonly confirmedDay: number;
  /** The newest good ones that the policy wants to remain, oldest first; fewer where there are not so many. */
  readonly needed: readonly Candidate[];
  /** They hold what was lost since, each with the reason. */
  readonly held: ReadonlyMap<Candidate, string>;
  /** The last weeks, months and years. */
  readonly slots: readonly Slot<C>[];
  /** The labels of those that a backup stands for. */
  readonly keptBy: ReadonlyMap<Candidate, readonly string[]>;
}

/** Why a backup is kept, for people; undefined where the rule does not keep it. */
type Rule = (backup: Candidate, collection: Collection) => string | undefined;

/** The first that keeps a backup gives the reason. What none keeps is removed. */
const rules: readonly Rule[] = [
  ({ isFuture }) => (isFuture ? 'dated in the future' : undefined),
  ({ isKept }) => (isKept ? 'to be kept, until `prune --unkeep`' : undefined),
  ({ isLatest }) => (isLatest ? 'latest points to it' : undefined),
  (backup, { held }) => held.get(backup),
  (_, { needed, policy }) =>
    needed.length < policy.keepMin
      ? `fewer than ${policy.keepMin} backups are known to be good`
      : undefined,
  (backup, collection) => {
    const { days: within } = collection.policy;
    return daysBefore(backup, collection) < within
      ? `${ageOf(backup, collection)}, within ${days(within)}`
      : undefined;
  },
  (backup, { needed: [oldest], policy }) =>
    oldest !== undefined && byAge(backup, oldest) >= 0
      ? `among the newest ${policy.keepMin} good backups`
      : undefined,
  (backup, { keptBy }) => {
    const kept = keptBy.get(backup) ?? [];
    const which = backup.knownGood ? 'newest good' : 'only';
    return kept.length === 0 ? undefined : `${which} backup of ${kept.join(', ')}`;
  },
  (backup, { slots }) => {
    const unsure = slots.find(
      (slot) => keeperOf(slot) === undefined && slot.members.includes(backup),
    );
    return unsure && `no backup of ${unsure.label} is known to be good`;
  },
  (backup, collection) =>
    collection.confirmedDay - backup.day < collection.policy.days
      ? `${ageOf(backup, collection)}, but no second backup confirms yet that the clock has not jumped`
      : undefined,
  ({ isUncopied }) => (isUncopied ? 'it is not copied to OFFSITE_URL yet' : undefined),
];

const daysBefore = ({ day }: Candidate, { newestGood }: Collection) =>
  (newestGood?.day ?? day) - day;

const ageOf = (backup: Candidate, collection: Collection) =>
  `${days(daysBefore(backup, collection))} before the newest good backup`;

/** @param backups of one database, oldest first. */
function planFor<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Decision<C>[] {
  const collection = collect(backups, policy);
  return backups.map((backup) => {
    for (const rule of rules) {
      const reason = rule(backup, collection);
      if (reason !== undefined) return { backup, action: 'keep', reason };
    }
    const reason = `${ageOf(backup, collection)}, ${policy.keepMin} newer ones are good`;
    return { backup, action: 'remove', reason };
  });
}

function collect<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Collection<C> {
  const past = backups.filter(({ isFuture }) => !isFuture);
  const good = past.filter(({ knownGood }) => knownGood);
  const newestGood = good.at(-1);
  const confirmed = newestGood === undefined ? 0 : confirmedDay(past, newestGood);
  const slots = slotsOf(past, policy, confirmed);
  return {
    policy,
    newestGood,
    confirmedDay: confirmed,
    needed: good.slice(-policy.keepMin),
    held: heldBackups(backups, policy.suspiciousDrop),
    slots,
    keptBy: keepersOf(slots),
  };
}

function keepersOf(slots: readonly Slot<Candidate>[]): Map<Candidate, string[]> {
  const keepers = new Map<Candidate, string[]>();
  for (const slot of slots) {
    const keeper = keeperOf(slot);
    if (keeper !== undefined) keepers.set(keeper, [...(keepers.get(keeper) ?? []), slot.label]);
  }
  return keepers;
}

/** The day of the newest good backup, at most one day after the backup before it. */
function confirmedDay(past: readonly Candidate[], newest: Candidate): number {
  const before = past[past.indexOf(newest) - 1];
  return before === undefined ? newest.day : Math.min(newest.day, before.day + 1);
}

const days = (count: number) => formatPlural(count, 'day');
