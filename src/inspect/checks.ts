import type { DrillEvent, HistoryEvent, VerifyEvent } from '../backup-directory/history-event.ts';

/** What is told of a drill. */
export type DrillOutcome = Exclude<DrillEvent['outcome'], 'interrupted'>;

/** What was found of a backup after it was made. */
export interface Checks {
  /** When it was last read and found good. */
  readonly verifiedAt: Date | undefined;
  /** It was read last, and found not good. */
  readonly isBad: boolean;
  /** The last time it was restored to be compared; one that could not be tried does not hide an earlier one. */
  readonly drill: { readonly at: Date; readonly outcome: DrillOutcome } | undefined;
}

const nothing: Checks = { verifiedAt: undefined, isBad: false, drill: undefined };

/** The last checks of each backup, by its name. */
export function checksByBackup(history: readonly HistoryEvent[]): Map<string, Checks> {
  const checks = new Map<string, Checks>();
  for (const event of history) {
    if (event.event === 'backup' || event.event === 'copy') continue;
    const known = checks.get(event.backup) ?? nothing;
    checks.set(event.backup, { ...known, ...foundBy(event, known) });
  }
  return checks;
}

function foundBy(event: VerifyEvent | DrillEvent, known: Checks): Partial<Checks> {
  const at = new Date(event.at);
  if (event.event === 'verify') {
    return event.outcome === 'good'
      ? { isBad: false, verifiedAt: at }
      : { isBad: true, verifiedAt: undefined };
  }
  const { outcome } = event;
  const isHidden = known.drill !== undefined && known.drill.outcome !== 'notProven';
  if (outcome === 'interrupted' || (outcome === 'notProven' && isHidden)) return {};
  return { drill: { at, outcome } };
}
