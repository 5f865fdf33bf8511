import { join } from 'node:path';
import { collect } from '../base/chunks.ts';
import { Failure } from '../base/errors.ts';
import { lockName } from '../backup-directory/names.ts';
import { readRegularFile } from '../backup-directory/regular-file.ts';
import type { Context } from '../context.ts';
import type { Destination, StoredFile } from './destination.ts';
import { withRetries } from './retry.ts';

/** What lies there would be lost with the backups, and removed with them. */
export const notElsewhere = (url: string) =>
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
  const ours = await readRegularFile(join(config.backupDir, lockName)).catch(() => undefined);
  // Somebody else's may end just now.
  const theirs = await collect(destination.open(lockName)).catch(() => undefined);
  if (theirs !== undefined && ours?.equals(theirs)) throw notElsewhere(destination.url);
  return files;
}
