import { readMeasures, type Measures } from './accepted-loss.ts';
import type { Backup } from './backup.ts';
import { listBackups } from './catalog.ts';
import type { Manifest } from './manifest.ts';
import { largerHoldings, type LargerEarlierBackup } from './loss.ts';

/** What must be known of a backup, wherever it lies. */
type Judged = Pick<Backup, 'manifest' | 'condition' | 'madeAt'>;

/**
 * The backups before one, of the same database, that hold much more than it: what was lost meanwhile
 * is in them. None where it has no manifest. Newest first; without what a person has accepted.
 * @param drop percent (SUSPICIOUS_DROP).
 */
export async function largerEarlierBackups(
  directory: string,
  manifest: Manifest | undefined,
  drop: number,
): Promise<LargerEarlierBackup<Backup>[]> {
  if (manifest === undefined) return [];
  return largerAmong(manifest, await listBackups(directory), await readMeasures(directory), drop);
}

/**
 * Those among backups that have been read.
 * @param backups oldest first.
 */
export function largerAmong<B extends Judged>(
  manifest: Manifest,
  backups: readonly B[],
  measures: Measures,
  drop: number,
): LargerEarlierBackup<B>[] {
  return largerHoldings(
    manifest,
    earlierThan(manifest, backups, measures).map((backup) => ({ backup, ...backup.manifest })),
    drop,
  ).map(({ backup: { backup }, losses }) => ({ backup, losses }));
}

/**
 * The backups with which one is compared: earlier ones of the same database that look good, newest first,
 * without those before what a person has accepted.
 * @param backups oldest first.
 */
export function earlierThan<B extends Judged>(
  { database: { name }, createdAt }: Manifest,
  backups: readonly B[],
  measures: Measures,
): B[] {
  const measure = measures.get(name);
  return backups
    .filter(
      ({ manifest, condition, madeAt }) =>
        manifest?.database.name === name &&
        condition === 'verified' &&
        manifest.createdAt < createdAt &&
        !(measure !== undefined && madeAt < measure),
    )
    .reverse();
}
