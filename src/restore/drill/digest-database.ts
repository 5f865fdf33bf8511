import { Failure } from '../../base/errors.ts';
import { DumpInspector } from '../../dump/contents.ts';
import { DumpDigester, type DumpDigest } from '../../dump/digest.ts';
import { dumpFailure } from '../../postgres/dump-failure.ts';
import { startPgDump } from '../../postgres/pg-dump.ts';
import type { Server } from '../../postgres/psql.ts';
import type { Tool } from '../../postgres/start-tool.ts';

export interface DigestOptions {
  readonly pgDump: Tool;
  readonly lockWaitTimeoutSeconds: number;
  /** The backup: rows are summed up as they are there. */
  readonly like: DumpDigest;
  readonly onBytes: (bytes: number, table: string | undefined) => void;
}

/**
 * Dumps a database and sums up what it holds; nothing is written.
 * @throws Failure `dumpFailed`, `cannotConnect`.
 */
export async function digestDatabase(
  { connection, ...server }: Server,
  database: string,
  { pgDump, lockWaitTimeoutSeconds, like, onBytes }: DigestOptions,
): Promise<DumpDigest> {
  const source = { ...server, connection: { ...connection, database } };
  const inspector = new DumpInspector();
  const digester = new DumpDigester(like);
  const dump = startPgDump(source, pgDump, { lockWaitTimeoutSeconds, encoding: like.encoding });
  let bytes = 0;
  try {
    for await (const chunk of dump.stdout as AsyncIterable<Buffer>) {
      for (const token of inspector.read(chunk)) digester.read(token);
      bytes += chunk.length;
      onBytes(bytes, inspector.currentTable);
    }
    for (const token of inspector.end()) digester.read(token);
  } catch (error) {
    dump.kill('SIGKILL');
    await dump.ending;
    server.signal.throwIfAborted();
    throw error;
  }
  const ending = await dump.ending;
  server.signal.throwIfAborted();
  if (ending.exitCode !== 0) throw await dumpFailure(ending, source);
  const { defect } = inspector.contents();
  if (defect === undefined) return digester.digest();
  throw new Failure('dumpFailed', `what was restored could not be dumped whole: ${defect}`, {
    hint: 'run it again; if it stays so, look at the log of the server',
  });
}
