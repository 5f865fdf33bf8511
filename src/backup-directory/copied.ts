import type { Backup } from './backup.ts';
import type { CopyEvent, HistoryEvent } from './history-event.ts';
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
  /** It was made to be kept. */
  readonly keep: boolean;
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
 * retention has removed there is not wanted there, and what was fetched is there already.
 */
export function missingAt(
  { url, history, there }: Place,
  backups: readonly Backup[],
): KnownBackup[] {
  const last = lastAt(url, history);
  return backups.filter((backup): backup is KnownBackup => {
    if (!isKnown(backup)) return false;
    const event = last.get(backup.name);
    if (event?.outcome !== 'done') return event === undefined;
    const isThere = there === undefined || there.get(backup.name) === backup.bytes;
    return event.sha256 !== backup.manifest.sha256 || !isThere;
  });
}

const isKnown = (backup: Backup): backup is KnownBackup =>
  backup.condition === 'verified' && backup.manifest !== undefined;

/** The copies that were made from here and lie at a place, by the name of the backup. */
export function copiesAt(
  url: string,
  history: readonly HistoryEvent[],
): ReadonlyMap<string, RecordedCopy> {
  const copies = new Map<string, RecordedCopy>();
  for (const event of lastAt(url, history).values()) {
    const name = parseBackupName(event.backup);
    if (event.outcome !== 'done' || name === undefined) continue;
    const { backup, bytes, sha256, database, keep = false } = event;
    copies.set(backup, {
      ...name,
      name: backup,
      bytes,
      sha256,
      database,
      keep,
      madeAt: new Date(event.madeAt),
    });
  }
  return copies;
}

/** The names of backups of which a copy is known to lie at a place, whoever has made it. */
export const lyingAt = (url: string, history: readonly HistoryEvent[]): ReadonlySet<string> =>
  new Set(
    [...lastAt(url, history).values()]
      .filter(({ outcome }) => outcome !== 'removed')
      .map(({ backup }) => backup),
  );

/** Where copies of a backup are known to lie, as in OFFSITE_URL. */
export function placesOf(backup: string, history: readonly HistoryEvent[]): string[] {
  const urls = new Set(history.flatMap((event) => (event.event === 'copy' ? [event.to] : [])));
  return [...urls].filter((url) => lyingAt(url, history).has(backup));
}

/** What was last done with each copy at a place, by the name of the backup. */
function lastAt(url: string, history: readonly HistoryEvent[]): ReadonlyMap<string, Done> {
  const last = new Map<string, Done>();
  for (const event of history) {
    if (event.event !== 'copy' || event.to !== url) continue;
    if (event.outcome === 'failed') {
      // It was missing, or another file had its name: nothing is confirmed any more.
      last.delete(event.backup ?? '');
      continue;
    }
    // That it was fetched does not make it another one's.
    if (event.outcome === 'fetched' && last.get(event.backup)?.outcome === 'done') continue;
    last.set(event.backup, event);
  }
  return last;
}

type Done = Exclude<CopyEvent, { outcome: 'failed' }>;
