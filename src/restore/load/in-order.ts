import { feed } from '../../base/subprocess.ts';
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
  // Without an end of its output, its ending says why.
  const output = readTags(protocol.answers(psql.stdout)).catch(() => undefined);
  try {
    psql.stdin.write(protocol.restrict);
    await feed(psql, dump);
    psql.stdin.end(`\n${protocol.unrestrict}${protocol.question}`);
  } catch (error) {
    await psql.ending;
    throw error;
  }
  const ending = await psql.ending;
  const loaded = await output;
  if (ending.exitCode === 0 && loaded?.complete) return loaded;
  server.signal.throwIfAborted();
  throw loadFailure(server, ending, [{ input: protocol.restrict === '' ? 1 : 2, dump: 1 }]);
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
