import { Failure } from '../../base/errors.ts';
import { restoreFailure } from '../failure.ts';
import { BadBackup, OtherRows } from '../load/check.ts';

/** What an error of a drill means: that the backup is not good, or that it could not be tried. */
export function drillFailure(thrown: unknown): unknown {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const bad = [thrown, cause].find(
    (error) => error instanceof OtherRows || error instanceof BadBackup,
  );
  if (bad !== undefined) {
    const { message, hint } = bad;
    return new Failure('verificationFailed', message, { hint, cause: thrown });
  }
  // A restore gives every failure its own kind: here the cause's tells more.
  const error = thrown instanceof Failure ? thrown : restoreFailure(thrown);
  if (!(error instanceof Failure) || error.kind === 'verificationFailed') return error;
  const { kind, message, hint } = error;
  return new Failure(kind, `not proven, the backup could not be restored: ${message}`, {
    hint,
    cause: thrown,
  });
}
