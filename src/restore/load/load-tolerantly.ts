import type { DumpReader } from '../../archive/selected-reader.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { totalRows } from '../../base/table-rows.ts';
import { LoadUnitSplitter } from '../../dump/load-unit-splitter.ts';
import type { ReplayFilter } from '../../dump/replay-filter.ts';
import type { Server } from '../../postgres/psql.ts';
import { requireSameRows, tablesOf } from './check.ts';
import { pieceBytes, type Loaded, type LoadOptions } from './loaded.ts';
import { TolerantLoader } from './tolerant.ts';

/**
 * Loads in order all that the server takes (`--skip-refused`).
 * @throws Failure `restoreFailed` for rows that it refuses of a table that is there.
 */
export async function loadTolerantly(
  server: Server,
  scratch: string,
  file: BackupFile,
  replay: ReplayFilter,
  reader: DumpReader,
  { another }: LoadOptions,
): Promise<Loaded> {
  const parts = new LoadUnitSplitter(replay, pieceBytes);
  await using loader = new TolerantLoader(server, scratch, { losesRows: false });
  for await (const token of reader) {
    for (const part of parts.read(token)) await loader.load(part);
  }
  const all = tablesOf(file, reader, another);
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
