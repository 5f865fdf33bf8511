import { Failure } from '../errors.ts';
import type { Ending } from '../subprocess.ts';
import { lastLine } from './diagnosis.ts';
import { sqlError } from './psql.ts';

const noExtension =
  'install the extension on this server (pgvector: the package postgresql-NN-pgvector, or the image pgvector/pgvector)';

const wentAway =
  'the server ended the session: when it answers again, restore again; the live database was not touched';

/** By SQLSTATE (PostgreSQL manual, Appendix A). */
const hints: Readonly<Record<string, string>> = {
  '0A000': noExtension,
  '58P01': noExtension,
  '42501': 'restore as a superuser or as the owner of the objects',
  '42704': 'the dump needs something that this server does not have: create it first',
  '53100': "the server's disk is full: free some space there",
  '57P01': wentAway,
  '57P02': wentAway,
};

/** Which line of psql's input is which line of the dump. */
export interface LineOffset {
  readonly input: number;
  readonly dump: number;
}

/** Why a psql that loaded a dump ended too early. */
export function loadFailure(
  { exitCode, signal, stderr }: Ending,
  { input, dump }: LineOffset = { input: 1, dump: 1 },
): Failure {
  const refused = sqlError(stderr, input - dump);
  if (refused !== undefined) {
    const role = /role "(.*)" does not exist/.exec(refused.message)?.[1];
    return new Failure('restoreFailed', `the server refused the dump at ${refused.message}`, {
      hint:
        role === undefined
          ? (hints[refused.code] ?? 'the live database was not touched')
          : `create it first (CREATE ROLE "${role}"): to leave out a policy would open its table; the live database was not touched`,
      cause: refused,
    });
  }
  return new Failure(
    'restoreFailed',
    `psql ended early (${signal ?? `exit code ${exitCode}`}): ${lastLine(stderr)}`,
    { hint: 'check that the server runs and has room; the live database was not touched' },
  );
}
