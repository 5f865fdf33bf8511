import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backup } from './backup.ts';
import { readManifest } from './manifest.ts';
import { syncDirectory } from './durable-file.ts';
import {
  acceptedLossName,
  keptName,
  backupNamesOf,
  formatGlobalsName,
  formatManifestName,
  globalsNamesOf,
  formatPartialName,
  latestNames,
  recoveryPageName,
  parsePartialName,
} from './names.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Removes a backup, what belongs to it first: interrupted in between, it leaves a whole backup.
 * @throws Failure `storage`.
 */
export async function removeBackup(directory: string, backup: Backup): Promise<void> {
  try {
    await rm(join(directory, formatGlobalsName(backup)), { force: true });
    if (readManifest(directory, backup) !== undefined) {
      await rm(join(directory, formatManifestName(backup.stamp)));
    }
    await rm(backup.path);
    await syncDirectory(directory);
  } catch (error) {
    throw storageFailure(`remove ${backup.path}`, error);
  }
}

/**
 * Removes what a run that was killed has left: partial files, and the manifest and the roles of a backup
 * that was never published. Only under the lock.
 * @returns the names of what was removed.
 * @throws Failure `storage`.
 */
export async function removeLeftovers(directory: string): Promise<string[]> {
  try {
    const leftovers = leftoversAmong(new Set(await readdir(directory)));
    for (const name of leftovers) await rm(join(directory, name), { force: true });
    return leftovers;
  } catch (error) {
    throw storageFailure(`tidy up ${directory}`, error);
  }
}

/**
 * What a run that was killed has left, or one that is at work is writing.
 * @throws Failure `storage`.
 */
export async function findLeftovers(directory: string): Promise<string[]> {
  try {
    return leftoversAmong(new Set(await readdir(directory)));
  } catch (error) {
    throw storageFailure(`look for leftovers in ${directory}`, error);
  }
}

const otherPartials = [...latestNames, acceptedLossName, keptName, recoveryPageName].map(
  formatPartialName,
);

function leftoversAmong(names: ReadonlySet<string>): string[] {
  return [...names].flatMap((name) => {
    const stamp = parsePartialName(name);
    if (stamp === undefined) return otherPartials.includes(name) ? [name] : [];
    if (backupNamesOf(stamp).some((backup) => names.has(backup))) return [name];
    const orphans = [formatManifestName(stamp), ...globalsNamesOf(stamp)];
    return [name, ...orphans.filter((orphan) => names.has(orphan))];
  });
}
