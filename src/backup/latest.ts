import { isWithoutLinks, pointLatest } from '../backup-directory/latest.ts';
import { formatBackupName, latestName, type Stamp } from '../backup-directory/names.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import type { Context } from '../context.ts';

/**
 * Points `latest` to a new backup. Where the file system knows no links, the newest good backup is found
 * without.
 * @throws Failure `storage`.
 */
export async function moveLatest(stamp: Stamp, { config, log }: Context): Promise<void> {
  try {
    const aside = await pointLatest(config.backupDir, stamp);
    if (aside !== undefined) log.warn(`${latestName} was not a link; it is now ${aside}`);
  } catch (error) {
    if (!isWithoutLinks(error)) {
      throw storageFailure(`point ${latestName} to ${formatBackupName(stamp)}`, error);
    }
    log.warn(
      {
        hint: 'nothing is lost: every command takes the newest good backup where there is no link',
      },
      `the file system of ${config.backupDir} has no symbolic links: there is no ${latestName}`,
    );
  }
}
