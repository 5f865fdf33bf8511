import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './cli.ts';

/** True where this user may mount a small disk. */
export const canMount = (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(
      '\n*** file systems cannot be mounted here: full disks are only tested by limits ***\n',
    );
    return false;
  }
})();

/** A small disk of its own, of this size or with so many files. */
export async function smallDisk(options: string): Promise<string> {
  const directory = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', [directory]));
  return directory;
}
