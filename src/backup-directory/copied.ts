import type { Backup } from './backup.ts';
import type { CopyEvent, HistoryEvent } from './history.ts';
import type { Manifest } from './manifest.ts';
import { parseBackupName, type BackupName } from './names.ts';

/** A backup that is good as far as can be told without reading it: its checksum is known. */
export type KnownBackup = Backup & { readonly manifest: Manifest };

/** A copy that was confirmed to lie at a place. */
export interface RecordedCopy extends BackupName {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly database: string;
  /** When the backup was made. */
  readonly madeAt: Date;
}

/** What is known of one place for copies. */
interface Place {
  /** As in OFFSITE_URL. */
  readonly url: string;
  readonly history: readonly HistoryEvent[];
  /** What lies there, sizes by name; undefined where it was not asked, or removes things by itself. */
  readonly there?: ReadonlyMap<string, number> | undefined;
}

/**
 * Those of some backups that are good and not known to lie at a place: confirmed once, and there still. What
 * retention has removed there is not wanted there.
 */
export function missingAt(
  { url, history, there }: Place,
  backups: readonly Backup[],
): KnownBackup[] {
  const copies = copiesAt(url, history);
  const removed = removedAt(url, history);
  return backups.filter(
    (backup): backup is KnownBackup =>
      isKnown(backup) &&
      !removed.has(backup.name) &&
      !(
        copies.get(backup.name)?.sha256 === backup.manifest.sha256 &&
        (there === undefined || there.get(backup.name) === backup.bytes)
      ),
  );
}

const isKnown = (backup: Backup): backup is KnownBackup =>
  backup.condition === 'verified' && backup.manifest !== undefined;

/** The copies that were confirmed to lie at a place and not removed since, by the name of the backup. */
export function copiesAt(
  url: string,
  history: readonly HistoryEvent[],
): ReadonlyMap<string, RecordedCopy> {
  const copies = new Map<string, RecordedCopy>();
  for (const event of eventsAt(url, history)) {
    if (event.outcome === 'removed') copies.delete(event.backup);
    if (event.outcome !== 'done') continue;
    const name = parseBackupName(event.backup);
    if (name === undefined) continue;
    const { backup, bytes, sha256, database } = event;
    const madeAt = new Date(event.madeAt);
    copies.set(backup, { ...name, name: backup, bytes, sha256, database, madeAt });
  }
  return copies;
}

function removedAt(url: string, history: readonly HistoryEvent[]): Set<string> {
  const removed = new Set<string>();
  for (const { outcome, backup } of eventsAt(url, history)) {
    if (outcome === 'removed') removed.add(backup);
    if (outcome === 'done') removed.delete(backup);
  }
  return removed;
}

function* eventsAt(
  url: string,
  history: readonly HistoryEvent[],
): Generator<Exclude<CopyEvent, { outcome: 'failed' }>> {
  for (const event of history) {
    if (event.event === 'copy' && event.to === url && event.outcome !== 'failed') yield event;
  }
}
