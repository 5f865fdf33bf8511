import { checksumOfFile } from '../archive/file-checksum.ts';
import type { OnStep } from '../base/step.ts';
import type { Backup } from '../backup-directory/backup.ts';

/** What a backup is read with. */
export interface Reading {
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** It has every byte that it had when it was verified. */
export async function isIntact(backup: Backup, { signal, onStep }: Reading): Promise<boolean> {
  const { manifest, path, name, bytes: totalBytes } = backup;
  if (manifest === undefined || backup.condition !== 'verified') return false;
  try {
    const told = (bytes: number) => onStep({ what: `checking ${name}`, bytes, totalBytes });
    return (await checksumOfFile(path, signal, told)) === manifest.sha256;
  } catch {
    signal.throwIfAborted();
    return false; // what cannot be read does not count as good
  }
}
