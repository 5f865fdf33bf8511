import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '../../base/errors.ts';
import type { Child } from '../../base/subprocess.ts';
import { loadFailure } from './failure.ts';
import { done, PsqlProtocol } from '../../postgres/psql-protocol.ts';
import { readTag, startLoader, type Server } from '../../postgres/psql.ts';

/** What a server says that it has loaded. */
export interface LoadedRows {
  /** Rows of each COPY, in order. */
  readonly copied: readonly number[];
  /** Rows of all INSERT statements together. */
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
  const protocol = new PsqlProtocol(server.psql.version);
  const output = readTags(protocol.answers(psql.stdout));
  try {
    psql.stdin.write(protocol.restrict);
    await pipeline(killOnError(dump, psql), psql.stdin, { end: false });
    psql.stdin.end(`\n${protocol.unrestrict}${protocol.question}`);
  } catch (error) {
    psql.kill('SIGKILL');
    await psql.ending;
    if (!endedEarly(error)) throw error;
  }
  const ending = await psql.ending;
  const { complete, ...loaded } = await output;
  if (ending.exitCode === 0 && complete) return loaded;
  server.signal.throwIfAborted();
  throw loadFailure(server, ending, [{ input: protocol.restrict === '' ? 1 : 2, dump: 1 }]);
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
  answers: AsyncIterable<string | typeof done>,
): Promise<LoadedRows & { complete: boolean }> {
  const copied: number[] = [];
  let inserted = 0;
  let complete = false;
  for await (const line of answers) {
    complete = line === done;
    if (line === done) continue;
    const tag = readTag(line);
    if (tag?.command === 'COPY') copied.push(tag.rows);
    if (tag?.command === 'INSERT') inserted += tag.rows;
  }
  return { copied, inserted, complete };
}

/** psql has closed its input; why is in its ending. */
function endedEarly(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    systemErrorCode(error) ?? '',
  );
}
