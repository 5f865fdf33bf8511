import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '../base/chunks.ts';
import { Failure } from '../base/errors.ts';
import { lockName } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import type { Destination, StoredFile } from './destination.ts';
import { withRetries } from './retry.ts';

export const isBackupDirectory = (url: string) =>
  new Failure('usage', `${url} is the backup directory itself: no copies can be there`, {
    hint: 'let OFFSITE_URL name another disk',
  });

/**
 * All that lies at a place; call it while the lock is held. A place can be the backup directory by another way (a
 * mount, a network share, rclone on this machine): each backup would be there already, and be removed with its copy.
 * Then our lock lies there, which no other run has.
 * @throws Failure `usage`; `cannotConnect`, `storage`.
 */
export async function filesElsewhere(
  { config, signal, log }: Context,
  destination: Destination,
): Promise<StoredFile[]> {
  const files = await withRetries(signal, log, () => destination.list());
  if (!files.some(({ name }) => name === lockName)) return files;
  const ours = await readFile(join(config.backupDir, lockName)).catch(() => undefined);
  // Somebody else's may end just now.
  const theirs = await collect(destination.open(lockName)).catch(() => undefined);
  if (theirs !== undefined && ours?.equals(theirs)) throw isBackupDirectory(destination.url);
  return files;
}
