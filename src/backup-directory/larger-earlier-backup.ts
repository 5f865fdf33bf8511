import { readMeasures } from './accepted-loss.ts';
import type { Backup } from './backup.ts';
import { listBackups } from './catalog.ts';
import type { Manifest } from './manifest.ts';
import { fullerBackups, type LargerEarlierBackup } from './row-loss.ts';

/**
 * The backups before one, of the same database, that hold much more than it: what was lost meanwhile
 * is in them. Newest first; without what a person has accepted.
 */
export async function largerEarlierBackups(
  directory: string,
  { database, tables, createdAt }: Manifest,
): Promise<LargerEarlierBackup<Backup>[]> {
  const measure = (await readMeasures(directory)).get(database.name);
  const older = (await listBackups(directory)).reverse().flatMap((backup) => {
    const { manifest } = backup;
    if (manifest === undefined || backup.condition !== 'verified') return [];
    if (manifest.database.name !== database.name || manifest.createdAt >= createdAt) return [];
    if (measure !== undefined && backup.madeAt < measure) return [];
    return [{ backup, tables: manifest.tables }];
  });
  return fullerBackups(tables, older).map(({ backup: { backup }, losses }) => ({ backup, losses }));
}
