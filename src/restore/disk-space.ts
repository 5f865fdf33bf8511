import { readFile } from 'node:fs/promises';
import { freeBytesAt } from '../base/free-bytes.ts';
import { join } from 'node:path';
import { withLimit } from '../base/deadline.ts';
import { Failure } from '../base/errors.ts';
import { formatBytes } from '../base/format.ts';
import type { ServerFacts } from './server-facts.ts';

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
    return await freeBytesFor(dataDirectory);
  } catch {
    return undefined; // it is elsewhere, or not ours to read
  }
}

/** Where the log of changes lies elsewhere, both disks must have room. */
async function freeBytesFor(dataDirectory: string): Promise<number> {
  const disks = [dataDirectory, join(dataDirectory, 'pg_wal')];
  return Math.min(...(await Promise.all(disks.map(freeBytesAt))));
}

/** Below that a server is in danger: when it cannot write its log of changes, it stops for everybody. */
export const reserveBytes = 96 * 1024 * 1024;
const watchEveryMs = 100;

/**
 * Does work under a signal that is also aborted when the server's disk is nearly full.
 * @throws Failure `restoreFailed` then.
 */
export async function whileThereIsRoom<Result>(
  facts: ServerFacts,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { dataDirectory } = facts.room;
  if (dataDirectory === null || (await freeBytesOf(facts.room)) === undefined) return work(signal);
  return withLimit(
    signal,
    (abort) => {
      const watching = setInterval(() => {
        freeBytesFor(dataDirectory).then(
          (free) => {
            if (free < reserveBytes) abort(nearlyFull(free));
          },
          () => undefined, // the plan has told what was known
        );
      }, watchEveryMs);
      return () => clearInterval(watching);
    },
    work,
  );
}

function nearlyFull(free: number): Failure {
  return new Failure(
    'restoreFailed',
    `the server's disk is nearly full (${formatBytes(free)} left): gave up before it stops the server`,
    {
      hint: 'the new database was dropped; free some space there and restore again',
    },
  );
}
