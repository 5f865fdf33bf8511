import {
  ArchiveReader,
  firstDifference,
  reportOf,
  type ArchiveReport,
  type ReadProgress,
} from '../../archive/reader.ts';
import type { ReplayFilter } from '../../dump/replay-filter.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import { LoadUnitSplitter } from '../../dump/load-units.ts';
import { loadDump } from './in-order.ts';
import { SqlError, type Server } from '../../postgres/psql.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { totalRows, type TableRows } from '../../base/table-rows.ts';
import { NotInParallel, ParallelLoader } from './parallel.ts';
import type { Refusals } from './refusals.ts';
import { TolerantLoader } from './tolerant.ts';

export interface Loaded {
  readonly tables: readonly TableRows[];
  /** Rows that came as INSERT statements, of which the file does not say how many there must be. */
  readonly inserted: number;
  /** Tables whose statistics have been collected already. */
  readonly analyzed: ReadonlySet<string>;
  /** What is not in the new database; undefined where nothing may be missing. */
  readonly refusals: Refusals | undefined;
}

export interface LoadOptions {
  /** How many sessions load; 1: one psql reads the dump as it is. */
  readonly jobs: number;
  /** Go on without the statements that the server refuses; in order, whatever `jobs` is. */
  readonly skipRefused: boolean;
  /** A file without manifest need not prove that it is whole. */
  readonly unproven: boolean;
  /** What to do where the file is not good, for people. */
  readonly another: string;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  /** With several: how many indexes and constraints are left to be built. */
  readonly onBuild?: ((left: number) => void) | undefined;
}

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
  const { jobs, skipRefused, unproven, onProgress } = options;
  const reader = new ArchiveReader(file, { signal: server.signal, unproven, onProgress });
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
  reader: ArchiveReader,
  { another }: LoadOptions,
): Promise<Loaded> {
  let tables: readonly TableRows[] = [];
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
      tables = tablesOf(file, reportOf(reader), another);
      yield Buffer.concat(piece);
    })(),
  );
  requireSameRows(tables, copied);
  return { tables, inserted, analyzed: new Set(), refusals: undefined };
}

async function loadTolerantly(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  reader: ArchiveReader,
  { another }: LoadOptions,
): Promise<Loaded> {
  const parts = new LoadUnitSplitter(replay, pieceBytes);
  await using loader = new TolerantLoader(server, scratch, { losesRows: false });
  for await (const token of reader) {
    for (const part of parts.read(token)) await loader.load(part);
  }
  const all = tablesOf(file, reportOf(reader), another);
  for (const part of parts.end()) await loader.load(part);
  await loader.keep();
  const isThere = (_: unknown, block: number) => !loader.absentBlocks.has(block);
  const copied = all.map((_, block) => loader.rows.get(block) ?? 0);
  const tables = all.filter(isThere);
  requireSameRows(tables, copied.filter(isThere));
  const missing = all.filter((table, block) => !isThere(table, block));
  return {
    tables,
    inserted: [...loader.inserted.values()].reduce((sum, rows) => sum + rows, 0),
    analyzed: new Set(),
    refusals: {
      statements: loader.refused,
      tables: loader.absentTables.map((absent) => ({
        ...absent,
        rows: absent.inserts + totalRows(missing.filter(({ table }) => table === absent.table)),
      })),
    },
  };
}

/** Large enough that a session is busy with it, small enough that none waits long for another. */
const pieceBytes = 2 * 1024 * 1024;

async function loadSideBySide(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  reader: ArchiveReader,
  options: LoadOptions,
): Promise<Loaded> {
  const parts = new LoadUnitSplitter(replay, pieceBytes);
  await using loader = new ParallelLoader(server, scratch, options);
  try {
    for await (const token of reader) {
      for (const part of parts.read(token)) await loader.load(part);
    }
    const tables = tablesOf(file, reportOf(reader), options.another);
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

function tablesOf(
  file: BackupFile,
  { contents, defects }: ArchiveReport,
  another: string,
): readonly TableRows[] {
  requireGood(file, defects, another);
  return contents.tables;
}

/**
 * @param another what to do instead, for people.
 * @throws Failure `restoreFailed` that lists the defects, if there are any.
 */
export function requireGood(file: BackupFile, defects: readonly string[], another: string): void {
  if (defects.length === 0) return;
  throw new Failure('restoreFailed', `${file.name} is not good: ${defects.join('; ')}`, {
    hint: `${another}; or rescue what is in this one with --salvage`,
  });
}

/** What was loaded is not what the file holds. */
class OtherRows extends Failure {}

function requireSameRows(tables: readonly TableRows[], copied: readonly number[]): void {
  const loaded = copied.map((rows, index) => ({ table: tables[index]?.table ?? 'unknown', rows }));
  const difference = firstDifference(loaded, tables);
  if (difference === undefined) return;
  throw new OtherRows(
    'restoreFailed',
    `the server did not load the rows of the backup: ${difference}`,
    { hint: 'a trigger or rule may have dropped rows' },
  );
}
