import type { DrillEvent, HistoryEvent } from '../backup-directory/history.ts';

/** What was found of a backup after it was made. */
export interface Checks {
  /** When it was last read and found good. */
  readonly verifiedAt: Date | undefined;
  /** It was read last, and found not good. */
  readonly isBad: boolean;
  /** The last time it was restored to be compared. */
  readonly drill: { readonly at: Date; readonly outcome: DrillEvent['outcome'] } | undefined;
}

const nothing: Checks = { verifiedAt: undefined, isBad: false, drill: undefined };

/** The last checks of each backup, by its name. */
export function checksByBackup(history: readonly HistoryEvent[]): Map<string, Checks> {
  const checks = new Map<string, Checks>();
  for (const event of history) {
    if (event.event === 'backup') continue;
    const known = checks.get(event.backup) ?? nothing;
    const at = new Date(event.at);
    checks.set(
      event.backup,
      event.event === 'drill'
        ? { ...known, drill: { at, outcome: event.outcome } }
        : event.outcome === 'good'
          ? { ...known, isBad: false, verifiedAt: at }
          : { ...known, isBad: true, verifiedAt: undefined },
    );
  }
  return checks;
}
