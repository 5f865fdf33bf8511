import { UnsafeDump } from '../dump/replay-filter.ts';
import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';
import { SqlError } from '../postgres/sql-error.ts';

/** What a restore promises until its swap. */
export const untouched = 'the live database was not touched';

/** The connection was lost in the middle of a swap, and the server does not answer any more. */
export class UndecidedSwap extends Failure {}

/**
 * Ends with the interruption where there was one; but that it is not known whether the swap happened is said before.
 * @throws the reason of the interruption.
 */
export function throwIfInterrupted(
  error: unknown,
  { signal, log }: Pick<Context, 'signal' | 'log'>,
): void {
  if (signal.aborted && error instanceof UndecidedSwap)
    log.error({ hint: error.hint }, error.message);
  signal.throwIfAborted();
}

/** The class of SQLSTATE of sessions that an administrator, a crash or a shutdown has ended. */
const operatorIntervention = '57P';

/**
 * What an error means to the person who restores, a restore's last word of it: that nothing has
 * happened to the live database is said here, for all of them.
 */
export function restoreFailure(error: unknown): unknown {
  if (error instanceof UnsafeDump) {
    const hint = 'only dumps of a single database can be restored';
    return failed(`the dump reaches outside its database: ${error.message}`, hint, error);
  }
  if (error instanceof SqlError && error.code.startsWith(operatorIntervention)) {
    const hint = 'when it answers again, restore again';
    return failed(`the server ended the connection: ${error.message}`, hint, error);
  }
  if (error instanceof SqlError) return failed(`the server refused: ${error.message}`, '', error);
  if (!(error instanceof Failure) || error instanceof UndecidedSwap || error.kind === 'usage') {
    return error;
  }
  return failed(error.message, error.hint, error);
}

function failed(message: string, hint: string, cause: Error): Failure {
  const whole = hint === '' ? untouched : `${hint}; ${untouched}`;
  return new Failure('restoreFailed', message, { hint: whole, cause });
}
