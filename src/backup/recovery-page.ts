import { join } from 'node:path';
import { listBackups } from '../backup-directory/catalog.ts';
import { hasGlobals } from '../backup-directory/globals-file.ts';
import { recoveryPageName } from '../backup-directory/names.ts';
import { writeRecoveryPage } from '../backup-directory/recovery-file.ts';
import { othersAmong, recoveryPage } from '../backup-directory/recovery-page.ts';
import type { Context } from '../context.ts';
import type { Published } from './publish.ts';

/**
 * Writes down beside the backups how to get the data back without this program.
 * @throws Failure `storage`.
 */
export async function describeRecovery({ config, log }: Context, backup: Published): Promise<void> {
  const { backupDir } = config;
  const others = othersAmong(await listBackups(backupDir), backup.manifest);
  const described = {
    ...backup,
    others,
    hasGlobals: await hasGlobals({ path: join(backupDir, backup.name) }),
  };
  if (await writeRecoveryPage(backupDir, recoveryPage(described, false))) return;
  log.debug(`${join(backupDir, recoveryPageName)} is somebody else's, and stays as it is`);
}
