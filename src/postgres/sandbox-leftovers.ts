import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../base/exists.ts';

/**
 * How the directory of a throw-away cluster begins.
 * @param owner the process that will remove it; without one, nobody else ever does.
 */
export const sandboxPrefix = (owner: number | undefined): string =>
  owner === undefined ? 'pratiko_sandbox_' : `pratiko_sandbox_${owner}_`;

const owned = /^pratiko_sandbox_(\d+)_/;

/** Removes the directories of throw-away clusters whose owner was killed: their servers have ended with it. */
export async function removeSandboxLeftovers(tempDirectory: string): Promise<void> {
  if (!(await exists('/proc/self'))) return; // nothing tells whether a process lives
  for (const name of await readdir(tempDirectory).catch(() => [])) {
    const owner = owned.exec(name)?.[1];
    if (owner === undefined || (await exists(`/proc/${owner}`))) continue;
    await rm(join(tempDirectory, name), { recursive: true, force: true }).catch(() => undefined); // another user's
  }
}
