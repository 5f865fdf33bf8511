import { access, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How the directories of throw-away clusters begin. */
export const sandboxPrefix = 'pratiko_sandbox_';

/** So long one may be without a server: while it is made, and while it is removed. */
const withoutServerMs = 3_600_000;

/** Removes the directories of throw-away clusters whose owner was killed: their servers have ended with it. */
export async function removeSandboxLeftovers(tempDirectory: string, now: Date): Promise<void> {
  const names = await readdir(tempDirectory).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(sandboxPrefix))) {
    const directory = join(tempDirectory, name);
    if (await isLeft(directory, now)) {
      await rm(directory, { recursive: true, force: true }).catch(() => undefined); // another user's
    }
  }
}

async function isLeft(directory: string, now: Date): Promise<boolean> {
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  if (!(await exists('/proc/self'))) return false; // nothing tells whether a process lives
  const pidFile = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8').catch(
    () => undefined,
  );
  if (pidFile !== undefined) return !(await exists(`/proc/${pidFile.split('\n')[0] ?? ''}`));
  const stats = await stat(directory).catch(() => undefined);
  return stats !== undefined && now.getTime() - stats.mtimeMs > withoutServerMs;
}
