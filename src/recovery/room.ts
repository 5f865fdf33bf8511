import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerFacts } from '../postgres/survey.ts';

/**
 * The free bytes on the disk of a server's data. Known only where the server runs on this machine,
 * and we may look: its postmaster.pid (line 3: when it started) tells that it is this one.
 */
export async function freeBytesOf({
  dataDirectory,
  startedAt,
}: ServerFacts['room']): Promise<number | undefined> {
  if (dataDirectory === null) return undefined;
  try {
    const pidFile = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
    // The file is written a moment before the server counts itself as started.
    if (Math.abs(Number(pidFile.split('\n')[2]) - startedAt) > 2) return undefined;
    const { bavail, bsize } = await statfs(dataDirectory);
    return bavail * bsize;
  } catch {
    return undefined; // it is elsewhere, or not ours to read
  }
}
