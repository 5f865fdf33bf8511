import { totalRows } from '../base/table-rows.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { Done } from '../notify/outcome.ts';

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

/** What was done, for who is told of it. */
export const doneIn = ({ name, manifest, removed }: BackupReport): Done => ({
  backup: name,
  bytes: manifest.fileBytes,
  tables: manifest.tables.length,
  rows: totalRows(manifest.tables),
  durationMs: manifest.durationMs,
  removed: removed.length,
});
