import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backup } from './catalogue.ts';
import { syncDirectory } from './durable-file.ts';
import {
  formatBackupName,
  formatManifestName,
  formatPartialName,
  latestName,
  parsePartialName,
} from './names.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Removes a backup, its manifest first: interrupted in between, it leaves a whole backup.
 * @throws Failure `storage`.
 */
export async function removeBackup(directory: string, backup: Backup): Promise<void> {
  try {
    await rm(join(directory, formatManifestName(backup.stamp)), { force: true });
    await rm(backup.path);
    await syncDirectory(directory);
  } catch (error) {
    throw storageFailure(`remove ${backup.path}`, error);
  }
}

/**
 * Removes what a run that was killed has left: partial files, and the manifest of a backup that
 * was never published. Only under the lock.
 * @returns the names of what was removed.
 */
export async function removeLeftovers(directory: string): Promise<string[]> {
  const names = new Set(await readdir(directory));
  const removed: string[] = [];
  for (const name of names) {
    const stamp = parsePartialName(name);
    if (stamp !== undefined) {
      removed.push(name);
      if (!names.has(formatBackupName(stamp)) && names.has(formatManifestName(stamp))) {
        removed.push(formatManifestName(stamp));
      }
    } else if (name === formatPartialName(latestName)) {
      removed.push(name);
    }
  }
  for (const name of removed) await rm(join(directory, name), { force: true });
  return removed;
}
