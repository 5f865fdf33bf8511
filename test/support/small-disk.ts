import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { isAvailable } from './available.ts';
import { temporaryDirectory } from './cli.ts';

/** True where this user may mount a small disk. */
export const canMount = isAvailable(
  'unshare',
  ['-m', 'true'],
  'file systems cannot be mounted here: full disks are only tested by limits',
);

/** A small disk of its own, of this size or with so many files. */
export async function smallDisk(options: string): Promise<string> {
  const directory = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', [directory]));
  return directory;
}
