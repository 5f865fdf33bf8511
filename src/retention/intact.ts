import { checksumOfFile } from '../archive/file-checksum.ts';
import type { Watched } from '../base/step.ts';
import type { Backup } from '../backup-directory/backup.ts';

/** It has every byte that it had when it was verified. */
export async function isIntact(backup: Backup, watched: Watched): Promise<boolean> {
  const { manifest, name } = backup;
  if (manifest === undefined || backup.condition !== 'verified') return false;
  try {
    return (await checksumOfFile(backup, `checking ${name}`, watched)) === manifest.sha256;
  } catch {
    watched.signal.throwIfAborted();
    return false; // what cannot be read does not count as good
  }
}
