import { openDump, type DumpReader } from '../../archive/selected-reader.ts';
import type { ReplayFilter } from '../../dump/replay-filter.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import { LoadUnitSplitter } from '../../dump/load-unit-splitter.ts';
import { OtherRows, requireSameRows, tablesOf } from './check.ts';
import { loadDump } from './in-order.ts';
import type { Server } from '../../postgres/psql.ts';
import { SqlError } from '../../postgres/sql-error.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { NotInParallel, ParallelLoader } from './parallel.ts';
import { loadTolerantly } from './load-tolerantly.ts';
import { pieceBytes, type Loaded, type LoadOptions } from './loaded.ts';

/** What fails in any order (SQLSTATE): the disk, memory, connections, who ends sessions. */
const inAnyOrder = /^(?:53|57P|58)/;

/**
 * Loads a backup into a scratch database. It reads the file once: what psql loads is what is
 * checked.
 * @throws Failure `restoreFailed`; UnsafeDump; NotInParallel.
 */
export async function loadArchive(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  options: LoadOptions,
): Promise<Loaded> {
  const { jobs, skipRefused, unproven, chosen, keys, what, onStep } = options;
  const { signal } = server;
  const reader = openDump(file, { signal, keys, unproven, what, onStep }, chosen);
  const load = skipRefused ? loadTolerantly : jobs === 1 ? loadInOrder : loadSideBySide;
  return load(server, scratch, file, replay, reader, options);
}

/** So much is written to psql at a time: a write for each statement costs more than the statement. */
const writtenBytes = 64 * 1024;

async function loadInOrder(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  reader: DumpReader,
  { another, onStep }: LoadOptions,
): Promise<Loaded> {
  let tables: Loaded['tables'] = [];
  const { copied, inserted } = await loadDump(
    server,
    scratch,
    (async function* () {
      let piece: Buffer[] = [];
      let bytes = 0;
      for await (const token of reader) {
        for (const part of replay.read(token)) {
          piece.push(part);
          bytes += part.length;
        }
        if (bytes < writtenBytes) continue;
        yield Buffer.concat(piece);
        [piece, bytes] = [[], 0];
      }
      tables = tablesOf(file, reader, another);
      onStep({ what: 'building indexes and constraints' });
      yield Buffer.concat(piece);
    })(),
  );
  requireSameRows(tables, copied);
  return { tables, inserted, analyzed: new Set(), refusals: undefined };
}

async function loadSideBySide(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  reader: DumpReader,
  options: LoadOptions,
): Promise<Loaded> {
  const parts = new LoadUnitSplitter(replay, pieceBytes);
  const { jobs, onStep } = options;
  await using loader = new ParallelLoader(server, scratch, {
    jobs,
    onBuild: (left) => onStep({ what: 'building indexes and constraints', left }),
  });
  try {
    for await (const token of reader) {
      for (const part of parts.read(token)) await loader.load(part);
    }
    const tables = tablesOf(file, reader, options.another);
    for (const part of parts.end()) await loader.load(part);
    await loader.finish();
    requireSameRows(tables, loader.copied);
    const { inserted, analyzed } = loader;
    return { tables, inserted, analyzed, refusals: undefined };
  } catch (error) {
    server.signal.throwIfAborted();
    const isWorthIt = loader.hasDealt && mayDependOnOrder(error);
    throw isWorthIt ? new NotInParallel(messageOf(error), { cause: error }) : error;
  }
}

function mayDependOnOrder(error: unknown): boolean {
  if (error instanceof OtherRows) return true;
  return (
    error instanceof Failure &&
    error.cause instanceof SqlError &&
    !inAnyOrder.test(error.cause.code)
  );
}
