import { listBackups, type Backup } from '../store/catalogue.ts';
import { manifestOf, type Manifest } from '../store/manifest.ts';
import { totalRows } from '../table-rows.ts';

/** A backup that holds much more than a later one of the same database. */
export interface FullerBackup {
  readonly backup: Backup;
  readonly rows: number;
}

/** From so many times as many rows on, a person should look: a database that was emptied is backed up as well as any. */
const muchMore = 2;

/**
 * The newest backup before one, of the same database, that holds more than twice as many rows: what
 * was lost meanwhile may be in it.
 */
export async function fullerBackup(
  directory: string,
  { database, tables, createdAt }: Manifest,
): Promise<FullerBackup | undefined> {
  const rows = totalRows(tables);
  for (const backup of (await listBackups(directory)).reverse()) {
    const manifest = manifestOf(backup);
    if (manifest === undefined || manifest.fileBytes !== backup.bytes) continue;
    if (manifest.database.name !== database.name || manifest.createdAt >= createdAt) continue;
    const itsRows = totalRows(manifest.tables);
    if (itsRows > muchMore * rows) return { backup, rows: itsRows };
  }
  return undefined;
}
