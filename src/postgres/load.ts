import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { Failure, systemErrorCode } from '../errors.ts';
import type { Child, Ending } from '../subprocess.ts';
import { lastLine } from './diagnosis.ts';
import { quoteLiteral, sqlError, startPsql, type Server } from './psql.ts';

/**
 * Loads a dump into a database that can be thrown away, and stops at the first error.
 * @returns the rows of each COPY, in order, as the server counted them.
 * @throws Failure `restoreFailed` with what the server refused; whatever `dump` throws.
 */
export async function loadDump(
  server: Server,
  database: string,
  dump: AsyncIterable<Buffer>,
): Promise<readonly number[]> {
  const psql = startPsql(server, database);
  const nonce = randomUUID();
  const key = nonce.replaceAll('-', '');
  const restricted = canBeRestricted(server.psql.version);
  const output = readTags(psql.stdout, nonce);
  try {
    // From here on psql runs no command of its own, not even \\!, until it reads this random key.
    if (restricted) psql.stdin.write(`\\restrict ${key}\n`);
    await pipeline(killOnError(dump, psql), psql.stdin, { end: false });
    if (restricted) psql.stdin.write(`\n\\unrestrict ${key}\n`);
    // Only a psql that has read everything before it answers this.
    psql.stdin.end(`\nSELECT ${quoteLiteral(nonce)};\n`);
  } catch (error) {
    psql.kill('SIGKILL');
    await psql.ending;
    if (!endedEarly(error)) throw error;
  }
  const ending = await psql.ending;
  const { copied, complete } = await output;
  if (ending.exitCode === 0 && complete) return copied;
  server.signal.throwIfAborted();
  throw loadFailure(ending, restricted ? 1 : 0);
}

/** The first minor release of each major version whose psql knows `\restrict` (August 2025). */
const restrictSince: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

function canBeRestricted(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major >= 18 || minor >= (restrictSince[major] ?? Infinity);
}

/** psql takes the end of its input for the end of the data, and commits: it must die first. */
async function* killOnError(dump: AsyncIterable<Buffer>, psql: Child): AsyncGenerator<Buffer> {
  try {
    yield* dump;
  } catch (error) {
    psql.kill('SIGKILL');
    throw error;
  }
}

async function readTags(
  stdout: Readable,
  nonce: string,
): Promise<{ copied: readonly number[]; complete: boolean }> {
  const copied: number[] = [];
  let complete = false;
  for await (const line of createInterface({ input: stdout })) {
    const rows = /^COPY (\d+)$/.exec(line)?.[1];
    if (rows !== undefined) copied.push(Number(rows));
    complete = line === nonce;
  }
  return { copied, complete };
}

/** psql has closed its input; why is in its ending. */
function endedEarly(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    systemErrorCode(error) ?? '',
  );
}

const noExtension =
  'install the extension on this server (pgvector: the package postgresql-NN-pgvector, or the image pgvector/pgvector)';

/** By SQLSTATE (PostgreSQL manual, Appendix A). */
const hints: Readonly<Record<string, string>> = {
  '0A000': noExtension,
  '58P01': noExtension,
  '42501': 'restore as a superuser or as the owner of the objects',
  '42704': 'the dump needs something that this server does not have: create it first',
  '53100': "the server's disk is full: free some space there",
};

/** @param linesBefore that psql read before the dump. */
function loadFailure({ exitCode, signal, stderr }: Ending, linesBefore: number): Failure {
  const refused = sqlError(stderr, linesBefore);
  if (refused !== undefined) {
    return new Failure('restoreFailed', `the server refused the dump at ${refused.message}`, {
      hint: hints[refused.code] ?? 'the live database was not touched',
      cause: refused,
    });
  }
  return new Failure(
    'restoreFailed',
    `psql ended early (${signal ?? `exit code ${exitCode}`}): ${lastLine(stderr)}`,
    { hint: 'check that the server runs and has room; the live database was not touched' },
  );
}
