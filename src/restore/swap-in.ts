import { Failure } from '../base/errors.ts';
import type { Server } from '../postgres/psql.ts';
import { swapDatabases, type Swap } from './swap.ts';

const timeoutMs = 60_000;

/**
 * Swaps two databases, or not: an interruption would leave it open which.
 * @throws Failure `restoreFailed`: nothing has changed.
 */
export async function swapIn(server: Server, swap: Swap): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await swapDatabases({ ...server, signal }, swap);
  } catch (error) {
    if (!signal.aborted || error instanceof Failure) throw error;
    throw new Failure('restoreFailed', 'the databases could not be swapped within 60 s', {
      hint: 'another session is at work on the database itself (ALTER DATABASE?): end it and restore again; the live database was not touched',
      cause: error,
    });
  }
}
