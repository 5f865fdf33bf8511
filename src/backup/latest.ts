import { isWithoutLinks, pointLatest } from '../backup-directory/latest.ts';
import { formatBackupName, formatLatestName, type BackupName } from '../backup-directory/names.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import type { Context } from '../context.ts';

/**
 * Points `latest` to a new backup. Where the file system knows no links, the newest good backup is found
 * without.
 * @throws Failure `storage`.
 */
export async function moveLatest(backup: BackupName, { config, log }: Context): Promise<void> {
  const link = formatLatestName(backup.encryption);
  try {
    for (const [name, aside] of await pointLatest(config.backupDir, backup)) {
      log.warn(`${name} was not a link; it is now ${aside}`);
    }
  } catch (error) {
    if (!isWithoutLinks(error)) {
      throw storageFailure(`point ${link} to ${formatBackupName(backup)}`, error);
    }
    log.warn(
      {
        hint: 'nothing is lost: every command takes the newest good backup where there is no link',
      },
      `the file system of ${config.backupDir} has no symbolic links: there is no ${link}`,
    );
  }
}
