import type { Manifest } from '../backup-directory/manifest.ts';

/** What became of a backup that is good. */
export interface BackupReport {
  readonly name: string;
  readonly path: string;
  readonly manifest: Manifest;
  /** Why a person should look at it, although it is good. */
  readonly warning: string | undefined;
  /** Names of the old backups that retention removed. */
  readonly removed: readonly string[];
}
