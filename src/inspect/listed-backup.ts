import { totalRows } from '../base/table-rows.ts';
import { stateOf, type Backup, type State } from '../backup-directory/backup.ts';
import { momentOf } from '../backup-directory/names.ts';
import type { Checks } from './checks.ts';

/** A backup as `list` shows it. */
export interface ListedBackup {
  readonly name: string;
  readonly path: string;
  /** When it was made, from its name, in local time. */
  readonly moment: Date;
  readonly ageMs: number;
  readonly bytes: number;
  /** The database that it is of; undefined where there is no manifest to tell, as the next four. */
  readonly database: string | undefined;
  readonly tables: number | undefined;
  readonly rows: number | undefined;
  /** How long it took to make. */
  readonly durationMs: number | undefined;
  /** As far as can be told without reading the file. */
  readonly state: State;
  /** When it was last read and found good: when it was made, or by `verify` since. */
  readonly verifiedAt: Date | undefined;
  readonly drill: Checks['drill'];
  /** What looks wrong beside the backup before, a clause for people. */
  readonly suspicion: string | undefined;
  readonly isLatest: boolean;
  /** What a person has called it. */
  readonly label: string | undefined;
  /** It stays, however old. */
  readonly isKept: boolean;
  /** Tables whose rows were left out on purpose. */
  readonly leftOut: readonly string[];
  /** Made by the scripts that came before this tool. */
  readonly byOldScript: boolean;
  readonly encryption: Backup['encryption'];
  /** Where copies of it were confirmed to be, as in OFFSITE_URL. */
  readonly copies: readonly string[];
}

/** What the backup itself, and what was done with it, tells. */
export function describeListed(
  backup: Backup,
  now: Date,
  checks: Checks | undefined,
): Omit<ListedBackup, 'isLatest' | 'isKept' | 'byOldScript' | 'suspicion' | 'copies'> {
  const moment = momentOf(backup.stamp);
  const { manifest } = backup;
  const looks = stateOf(backup);
  const state = checks?.isBad ? 'damaged' : looks;
  return {
    name: backup.name,
    path: backup.path,
    moment,
    ageMs: now.getTime() - moment.getTime(),
    bytes: backup.bytes,
    database: manifest?.database.name,
    tables: manifest?.tables.length,
    rows: manifest && totalRows(manifest.tables),
    durationMs: manifest?.durationMs,
    label: manifest?.label,
    leftOut: manifest?.leftOut?.tables ?? [],
    encryption: backup.encryption,
    state,
    verifiedAt:
      state === 'damaged'
        ? undefined
        : (checks?.verifiedAt ?? (looks === 'verified' ? backup.madeAt : undefined)),
    drill: checks?.drill,
  };
}
