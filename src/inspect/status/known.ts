import { totalRows } from '../../base/table-rows.ts';
import type { Backup } from '../../backup-directory/backup.ts';
import type { BackupEvent, DrillEvent } from '../../backup-directory/history-event.ts';
import { valueOf } from '../../base/known.ts';
import type { StatusFacts } from './facts.ts';

/** What one place for copies has of the backups of a database. */
export interface CopyStatus {
  readonly to: string;
  /** When a copy was last confirmed. */
  readonly lastAt: Date | undefined;
  /** Good backups that are not known to be there, newest first. */
  readonly missing: readonly string[];
  /** Why the last attempt failed; undefined where it did not. */
  readonly failure: string | undefined;
}

/** What is known of the backups of a database. */
export interface KnownStatus {
  readonly facts: StatusFacts;
  /** Backups of the database, newest first. */
  readonly backups: readonly Backup[];
  /** The newest that is good, as far as can be told without reading it. */
  readonly lastGood: Backup | undefined;
  /** The time in its name, by which it can be called. */
  readonly lastGoodAt: Date | undefined;
  readonly ageMs: number | undefined;
  readonly maxAgeMs: number;
  readonly lastRun: BackupEvent | undefined;
  readonly lastDrill: DrillEvent | undefined;
  /** The last drill that proved a backup. */
  readonly lastProof: DrillEvent | undefined;
  /** What each place for copies has, as far as the history tells. */
  readonly copies: readonly CopyStatus[];
  /** What was lost since and is held: each a clause, and the backup that has it. */
  readonly held: readonly { readonly loss: string; readonly name: string }[];
}

/** How many more backups of the last one's size there is room for; undefined where that is not known. */
export function roomFor({ facts, lastGood }: Pick<KnownStatus, 'facts' | 'lastGood'>) {
  const free = valueOf(facts.freeBytes);
  return free === undefined || lastGood === undefined
    ? undefined
    : Math.floor(free / Math.max(lastGood.bytes, 1));
}

export const rowsOf = ({ manifest }: Backup): number | undefined =>
  manifest && totalRows(manifest.tables);
