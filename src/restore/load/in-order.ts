import { quoteLiteral } from '../../base/sql.ts';
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '../../base/errors.ts';
import type { Child } from '../../base/subprocess.ts';
import { loadFailure } from './failure.ts';
import { canBeRestricted } from '../../postgres/restriction.ts';
import { readTag, startLoader, type Server } from '../../postgres/psql.ts';

/** What a server says that it has loaded. */
export interface LoadedRows {
  /** Of each COPY, in order. */
  readonly copied: readonly number[];
  /** By all INSERT statements together. */
  readonly inserted: number;
}

/**
 * Loads a dump into a database that can be thrown away, and stops at the first error.
 * @throws Failure `restoreFailed` with what the server refused; whatever `dump` throws.
 */
export async function loadDump(
  server: Server,
  database: string,
  dump: AsyncIterable<Buffer>,
): Promise<LoadedRows> {
  const psql = startLoader(server, database);
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
  const { complete, ...loaded } = await output;
  if (ending.exitCode === 0 && complete) return loaded;
  server.signal.throwIfAborted();
  throw loadFailure(server, ending, [{ input: restricted ? 2 : 1, dump: 1 }]);
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
): Promise<LoadedRows & { complete: boolean }> {
  const copied: number[] = [];
  let inserted = 0;
  let complete = false;
  for await (const line of createInterface({ input: stdout })) {
    const tag = readTag(line);
    if (tag?.command === 'COPY') copied.push(tag.rows);
    if (tag?.command === 'INSERT') inserted += tag.rows;
    complete = line === nonce;
  }
  return { copied, inserted, complete };
}

/** psql has closed its input; why is in its ending. */
function endedEarly(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    systemErrorCode(error) ?? '',
  );
}
