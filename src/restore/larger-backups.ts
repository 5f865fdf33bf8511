import { messageOf } from '../base/errors.ts';
import { largerEarlierBackups } from '../backup-directory/larger-earlier-backup.ts';
import type { Context } from '../context.ts';
import type { Situation } from './situation.ts';

/** Older backups that hold much more: that they cannot be looked at keeps nobody from restoring. */
export async function largerThan(
  { manifest }: Situation['file'],
  { config, log, signal }: Context,
): Promise<Situation['larger']> {
  try {
    return await largerEarlierBackups(config.backupDir, manifest, config.retention.suspiciousDrop);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`whether an older backup holds more is not known: ${messageOf(error)}`);
    return [];
  }
}
