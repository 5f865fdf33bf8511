import { Failure } from '../../base/errors.ts';
import { howItEnded, type ProcessResult } from '../../base/subprocess.ts';
import {
  isLostConnection,
  lastLine,
  lostConnection,
  lostHint,
} from '../../postgres/connection-failure.ts';
import type { Server } from '../../postgres/psql.ts';
import { sqlError, type SqlError } from '../../postgres/sql-error.ts';

/** What to do about an error, by SQLSTATE (PostgreSQL manual, Appendix A). */
const hints: Readonly<Record<string, string>> = {
  '42501': 'restore as a superuser or as the owner of the objects',
  '53100': "the server's disk is full: free some space there",
};

/** The server did not take a statement of a dump; its cause is the SqlError. */
export class RefusedDump extends Failure {
  declare readonly cause: SqlError;
}

/** Which line of psql's input is which line of the dump. */
export interface LineOffset {
  readonly input: number;
  readonly dump: number;
}

const same: LineOffset = { input: 1, dump: 1 };

/** SQLSTATE of sessions that the server ends: who administers it, a crash, a broken connection. */
const endsSession = /^(?:57P|08)/;

/**
 * Why a psql that loaded a dump ended too early.
 * @param offsets of the stretches of its input that it may have been at, in order.
 */
export function loadFailure(
  { connection }: Pick<Server, 'connection'>,
  { stderr, way, ...ending }: ProcessResult,
  offsets: readonly LineOffset[],
): Failure {
  if (way !== undefined) {
    return new Failure('restoreFailed', way.message, { hint: way.hint, cause: way });
  }
  const line = sqlError(stderr)?.line ?? 1;
  const { input, dump } = offsets.findLast((offset) => offset.input <= line) ?? same;
  const refused = sqlError(stderr, input - dump);
  const isEnded = refused !== undefined && endsSession.test(refused.code);
  if (isEnded || (refused === undefined && isLostConnection(stderr))) {
    const why = refused === undefined ? '' : `: ${refused.reason}`;
    return new Failure(
      'restoreFailed',
      `${lostConnection(connection, 'the dump was loaded')}${why}`,
      { hint: lostHint, cause: refused },
    );
  }
  if (refused !== undefined) {
    return new RefusedDump('restoreFailed', `the server refused the dump at ${refused.message}`, {
      hint: hints[refused.code] ?? '',
      cause: refused,
    });
  }
  return new Failure(
    'restoreFailed',
    `psql ended early (${howItEnded(ending)}): ${lastLine(stderr)}`,
    { hint: 'check that the server runs and has room' },
  );
}
