import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../../postgres/psql.ts';
import { ownLocks } from '../../postgres/sessions.ts';

/** Two looks that show the same tell that nothing moves any more. */
const everyMs = 3_000;

const passed = (ms: number, signal: AbortSignal) =>
  sleep(ms, true, { signal, ref: false }).catch(() => false);

/**
 * Waits until sessions that load a database wait for each other: a file can have transactions of its own, and
 * the server knows.
 * @param signal ends the watch.
 * @returns whether it came to that.
 */
export async function waitForOwnLocks(
  server: Server,
  database: string,
  signal: AbortSignal,
): Promise<boolean> {
  let before = '';
  while (await passed(everyMs, signal)) {
    const now = await ownLocks(server, database).catch(() => '');
    if (now !== '' && now === before) return true;
    before = now;
  }
  return false;
}
