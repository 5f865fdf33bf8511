import { UnsafeDump } from '../dump/replay-filter.ts';
import { Failure } from '../base/errors.ts';
import { SqlError } from '../postgres/psql.ts';

/** The class of SQLSTATE of sessions that an administrator, a crash or a shutdown has ended. */
const operatorIntervention = '57P';

/** What an error means to the person who restores: nothing has happened to the live database. */
export function restoreFailure(error: unknown): unknown {
  const untouched = 'the live database was not touched';
  if (error instanceof UnsafeDump) {
    return new Failure('restoreFailed', `the dump reaches outside its database: ${error.message}`, {
      hint: `only dumps of a single database can be restored; ${untouched}`,
      cause: error,
    });
  }
  if (error instanceof SqlError && error.code.startsWith(operatorIntervention)) {
    return new Failure('restoreFailed', `the server ended the connection: ${error.message}`, {
      hint: `when it answers again, restore again; ${untouched}`,
      cause: error,
    });
  }
  if (error instanceof SqlError) {
    return new Failure('restoreFailed', `the server refused: ${error.message}`, {
      hint: untouched,
      cause: error,
    });
  }
  const isSaid = error instanceof Failure && ['restoreFailed', 'usage'].includes(error.kind);
  if (error instanceof Failure && !isSaid) {
    return new Failure('restoreFailed', error.message, { hint: error.hint, cause: error });
  }
  return error;
}
