import { createReadStream } from 'node:fs';
import type { Candidate, RetentionPolicy } from '../retention.ts';
import { listBackups, type Backup } from '../store/catalogue.ts';
import { readLatest } from '../store/latest.ts';
import { manifestOf } from '../store/manifest.ts';
import { dayOf, formatStamp, type Stamp } from '../store/names.ts';
import { Checksum } from '../streams/checksum.ts';

export interface StockOptions {
  readonly policy: RetentionPolicy;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** A backup that this run has just verified, which need not be read again. */
  readonly verified?: Stamp;
}

export type Stock = Candidate & Backup;

/**
 * Lists the backups for retention, oldest first. Of each database the newest ones are read to know
 * that they are good, as many as the policy must be sure of; the rest stays unknown.
 */
export async function takeStock(directory: string, options: StockOptions): Promise<Stock[]> {
  const { policy, verified } = options;
  const backups = await listBackups(directory);
  const latest = await readLatest(directory);
  const now = formatStamp(options.now);
  const good = new Set<Stamp>();
  const goodOf = new Map<string, number>();
  for (const backup of backups.toReversed()) {
    const database = databaseOf(backup);
    if (database === undefined || backup.stamp > now) continue;
    const count = goodOf.get(database) ?? 0;
    if (count >= policy.keepMin) continue;
    if (backup.stamp !== verified && !(await isIntact(backup, options.signal))) continue;
    good.add(backup.stamp);
    goodOf.set(database, count + 1);
  }
  return backups.map((backup) => ({
    ...backup,
    database: databaseOf(backup),
    day: dayOf(backup.stamp),
    knownGood: good.has(backup.stamp),
    isLatest: backup.stamp === latest,
    isFuture: backup.stamp > now,
  }));
}

const databaseOf = (backup: Backup) => manifestOf(backup)?.database.name;

/** It has every byte that it had when it was verified. */
async function isIntact(backup: Backup, signal: AbortSignal): Promise<boolean> {
  const { manifest, bytes, path } = backup;
  if (typeof manifest !== 'object' || manifest.fileBytes !== bytes) return false;
  const checksum = new Checksum();
  try {
    const file: AsyncIterable<Buffer> = createReadStream(path, { signal });
    for await (const _ of checksum.through(file));
  } catch {
    signal.throwIfAborted();
    return false; // what cannot be read does not count as good
  }
  return checksum.sha256() === manifest.sha256;
}
