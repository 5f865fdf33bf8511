import { formatPlural } from '../base/format.ts';
import { describeLoss, fullerBackups } from '../backup-directory/row-loss.ts';
import type { TableRows } from '../base/table-rows.ts';

/** What retention knows of a backup. */
export interface Candidate {
  readonly name: string;
  /** When it was made; of two of one moment the name decides. */
  readonly madeAt: Date;
  /** Of which database it is; undefined where no manifest tells. */
  readonly database: string | undefined;
  /** The calendar day in its name, as a number that grows by 1 a day. */
  readonly day: number;
  /** Its bytes were read and are what its manifest says. */
  readonly knownGood: boolean;
  /** `latest` points to it. */
  readonly isLatest: boolean;
  /** Its name lies in the future. */
  readonly isFuture: boolean;
  /** What it holds; undefined where no manifest tells, or a person has said that it no longer matters. */
  readonly tables?: readonly TableRows[] | undefined;
}

export interface RetentionPolicy {
  /** Calendar days that are kept: with one backup a day, as many backups. */
  readonly days: number;
  /** How many good backups remain, however old. At least 1. */
  readonly keepMin: number;
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
 * count.
 *
 * Whatever was lost since an older backup was made, the newest one that still holds it stays, however
 * old: the database may have been emptied, and backups of that go on.
 *
 * The backups of each database are looked at by themselves, those of an unknown one with all.
 *
 * Age is counted up to the newest good backup and not to the clock, and a leap of more than a day
 * since the backup before it is believed only when a second backup confirms it: a clock that jumps
 * ages nothing.
 * @returns the decisions, oldest backup first, whatever the order they are given in.
 */
export function planRetention<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Decision<C>[] {
  const sorted = backups.toSorted(
    (a, b) => a.madeAt.getTime() - b.madeAt.getTime() || (a.name < b.name ? -1 : 1),
  );
  const decisions = new Map<C, Decision<C>>();
  for (const database of new Set(sorted.map((backup) => backup.database))) {
    const concerned = sorted.filter((backup) => concerns(backup, database));
    for (const decision of planFor(concerned, policy)) {
      if (decision.backup.database === database) decisions.set(decision.backup, decision);
    }
  }
  return sorted.flatMap((backup) => decisions.get(backup) ?? []);
}

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

const concerns = (backup: Candidate, database: string | undefined) =>
  backup.database === undefined || database === undefined || backup.database === database;

/** @param backups of one database, oldest first. */
function planFor<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Decision<C>[] {
  const past = backups.filter((backup) => !backup.isFuture);
  const good = past.filter((backup) => backup.knownGood);
  const newest = good.at(-1);
  const confirmed = newest && confirmedDay(past, newest);
  const oldestNeeded = backups.findIndex((backup) => backup === good.at(-policy.keepMin));
  const held = heldBackups(backups);
  const decide = (backup: C, index: number): [Decision<C>['action'], string] => {
    if (backup.isFuture) return ['keep', 'dated in the future'];
    if (backup.isLatest) return ['keep', 'latest points to it'];
    const holding = held.get(backup);
    if (holding !== undefined) return ['keep', holding];
    if (newest === undefined || confirmed === undefined || oldestNeeded === -1) {
      return ['keep', `fewer than ${policy.keepMin} backups are known to be good`];
    }
    const age = `${days(newest.day - backup.day)} before the newest good backup`;
    if (newest.day - backup.day < policy.days)
      return ['keep', `${age}, within ${days(policy.days)}`];
    if (index >= oldestNeeded) return ['keep', `among the newest ${policy.keepMin} good backups`];
    if (confirmed - backup.day < policy.days) {
      return ['keep', `${age}, but no second backup confirms yet that the clock has not jumped`];
    }
    return ['remove', `${age}, ${policy.keepMin} newer ones are good`];
  };
  return backups.map((backup, index) => {
    const [action, reason] = decide(backup, index);
    return { backup, action, reason };
  });
}

/** The day of the newest good backup, at most one day after the backup before it. */
function confirmedDay(past: readonly Candidate[], newest: Candidate): number {
  const before = past[past.indexOf(newest) - 1];
  return before === undefined ? newest.day : Math.min(newest.day, before.day + 1);
}

const days = (count: number) => formatPlural(count, 'day');
