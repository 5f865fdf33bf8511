/** What retention knows of a backup. */
export interface Candidate {
  readonly name: string;
  /** The calendar day in its name, as a number that grows by 1 a day. */
  readonly day: number;
  /** Its bytes were read and are what its manifest says. */
  readonly knownGood: boolean;
  /** `latest` points to it. */
  readonly isLatest: boolean;
  /** Its name lies in the future. */
  readonly isFuture: boolean;
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
  /** For people: `3 days old, within 7 days`. */
  readonly reason: string;
}

/**
 * Decides which backups remain. One is removed only if it is older than the policy's days and at
 * least `keepMin` backups that are newer are known to be good; those dated in the future do not
 * count.
 *
 * Age is counted up to the newest good backup and not to the clock, and this day is at most one
 * day later than the last day before it that has a backup: a clock that leaps forward ages nothing.
 * @param backups oldest first.
 */
export function planRetention<C extends Candidate>(
  backups: readonly C[],
  policy: RetentionPolicy,
): Decision<C>[] {
  const past = backups.filter((backup) => !backup.isFuture);
  const good = past.filter((backup) => backup.knownGood);
  const today = countingDay(past, good);
  const oldestNeeded = backups.findIndex((backup) => backup === good.at(-policy.keepMin));
  const decide = (backup: C, index: number): [Decision<C>['action'], string] => {
    if (backup.isFuture) return ['keep', 'dated in the future'];
    if (backup.isLatest) return ['keep', 'latest points to it'];
    if (today === undefined || oldestNeeded === -1) {
      return ['keep', `fewer than ${policy.keepMin} backups are known to be good`];
    }
    const age = today - backup.day;
    if (age < policy.days) return ['keep', `${days(age)} old, within ${days(policy.days)}`];
    if (index >= oldestNeeded) {
      return ['keep', `among the newest ${policy.keepMin} good backups`];
    }
    return ['remove', `${days(age)} old, ${policy.keepMin} newer ones are good`];
  };
  return backups.map((backup, index) => {
    const [action, reason] = decide(backup, index);
    return { backup, action, reason };
  });
}

/** The day up to which ages are counted; undefined where no backup is known to be good. */
function countingDay(past: readonly Candidate[], good: readonly Candidate[]): number | undefined {
  const newest = good.at(-1)?.day;
  if (newest === undefined) return undefined;
  const before = past.findLast(({ day }) => day < newest)?.day;
  return before === undefined ? newest : Math.min(newest, before + 1);
}

const days = (count: number) => `${count} day${count === 1 ? '' : 's'}`;
