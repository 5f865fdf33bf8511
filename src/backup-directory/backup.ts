import type { Manifest } from './manifest.ts';
import type { BackupName } from './names.ts';

/**
 * What is known of a backup without reading it: `verified`, when it was made, and its size has not
 * changed; `unverified`: no manifest tells; `byNewerVersion`: a manifest that this version cannot read.
 */
export type Condition =
  'verified' | 'unverified' | 'byNewerVersion' | 'empty' | 'otherSize' | 'unreadableManifest';

/** The scale of conditions for people. */
export type State = 'verified' | 'unverified' | 'damaged';

const states: Readonly<Record<Condition, State>> = {
  verified: 'verified',
  unverified: 'unverified',
  byNewerVersion: 'unverified',
  empty: 'damaged',
  otherSize: 'damaged',
  unreadableManifest: 'damaged',
};

export const stateOf = ({ condition }: Pick<BackupFile, 'condition'>): State => states[condition];

/** A file that is, or should be, a backup, wherever it lies and whatever it is called. */
export interface BackupFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** What was noted when it was made; undefined where nothing was, or it cannot be read. */
  readonly manifest: Manifest | undefined;
  readonly condition: Condition;
}

/** A file with a backup's name. */
export interface Backup extends BackupFile, BackupName {
  /**
   * When it was made: its manifest knows that better than its name, for an hour can come twice, and
   * clocks go wrong.
   */
  readonly madeAt: Date;
}

/** The only place that decides what a backup's size and manifest say of it. */
export function conditionOf(
  bytes: number,
  manifest: Manifest | 'unreadable' | 'newer' | undefined,
): Condition {
  if (bytes === 0) return 'empty';
  if (manifest === undefined) return 'unverified';
  if (manifest === 'newer') return 'byNewerVersion';
  if (manifest === 'unreadable') return 'unreadableManifest';
  return manifest.fileBytes === bytes ? 'verified' : 'otherSize';
}

/** Oldest first. */
export const byAge = (a: Pick<Backup, 'madeAt' | 'name'>, b: Pick<Backup, 'madeAt' | 'name'>) =>
  a.madeAt.getTime() - b.madeAt.getTime() || (a.name < b.name ? -1 : 1);
