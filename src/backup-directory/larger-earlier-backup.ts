import { readMeasures } from './accepted-loss.ts';
import type { Backup } from './backup.ts';
import { listBackups } from './catalog.ts';
import type { Manifest } from './manifest.ts';
import { fullerBackups, type LargerEarlierBackup } from './row-loss.ts';

/**
 * The backups before one, of the same database, that hold much more than it: what was lost meanwhile
 * is in them. None where it has no manifest. Newest first; without what a person has accepted.
 */
export async function largerEarlierBackups(
  directory: string,
  manifest: Manifest | undefined,
): Promise<LargerEarlierBackup<Backup>[]> {
  if (manifest === undefined) return [];
  const { database, tables, createdAt } = manifest;
  const measure = (await readMeasures(directory)).get(database.name);
  const older = (await listBackups(directory)).reverse().flatMap((backup) => {
    const { manifest: other } = backup;
    if (other === undefined || backup.condition !== 'verified') return [];
    if (other.database.name !== database.name || other.createdAt >= createdAt) return [];
    if (measure !== undefined && backup.madeAt < measure) return [];
    return [{ backup, tables: other.tables }];
  });
  return fullerBackups(tables, older).map(({ backup: { backup }, losses }) => ({ backup, losses }));
}
