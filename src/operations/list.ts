import { totalRows } from '../table-rows.ts';
import { listBackups, type Backup } from '../store/catalogue.ts';
import { readLatest } from '../store/latest.ts';
import { momentOf } from '../store/names.ts';
import type { Context } from './context.ts';

export interface ListedBackup {
  readonly name: string;
  readonly path: string;
  /** From its name, local time. */
  readonly moment: Date;
  readonly ageMs: number;
  readonly bytes: number;
  /** Undefined where there is no manifest to tell. */
  readonly tables: number | undefined;
  readonly rows: number | undefined;
  /**
   * `verified` when it was made; `unknown`: no manifest tells; `damaged`: the size or the manifest
   * is not as it was. Listing does not read the files.
   */
  readonly state: 'verified' | 'unknown' | 'damaged';
  readonly isLatest: boolean;
}

/** Every backup in the backup directory, oldest first. */
export async function list({ config, now }: Context): Promise<ListedBackup[]> {
  const latest = await readLatest(config.backupDir);
  return (await listBackups(config.backupDir)).map((backup) => ({
    ...describe(backup, now()),
    isLatest: backup.stamp === latest,
  }));
}

function describe(backup: Backup, now: Date): Omit<ListedBackup, 'isLatest'> {
  const moment = momentOf(backup.stamp);
  const manifest = typeof backup.manifest === 'object' ? backup.manifest : undefined;
  return {
    name: backup.name,
    path: backup.path,
    moment,
    ageMs: now.getTime() - moment.getTime(),
    bytes: backup.bytes,
    tables: manifest?.tables.length,
    rows: manifest && totalRows(manifest.tables),
    state: stateOf(backup),
  };
}

function stateOf({ manifest, bytes }: Backup): ListedBackup['state'] {
  if (manifest === undefined) return bytes === 0 ? 'damaged' : 'unknown';
  if (manifest === 'unreadable') return 'damaged';
  return manifest.fileBytes === bytes ? 'verified' : 'damaged';
}
