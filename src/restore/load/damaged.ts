import { ArchiveReader, reportOf, type ReadOptions } from '../../archive/reader.ts';
import type { Token } from '../../dump/token.ts';
import { LoadUnitSplitter } from '../../dump/load-unit-splitter.ts';
import type { ReplayFilter } from '../../dump/replay-filter.ts';
import { tableCreatedBy } from '../../dump/statement.ts';
import type { Server } from '../../postgres/psql.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import type { RefusedStatement } from './refusals.ts';
import { TolerantLoader } from './tolerant.ts';

/** What became of one table of a damaged backup. */
export interface SalvagedTable {
  readonly table: string;
  /**
   * `complete`: its data has an end and arrived; `cut`: the file ends in it; `refused`: the server
   * did not take all of it; `noTable`: the server could not create it; `inserted`: its rows came as
   * INSERT statements, and how many there must be nobody knows; `absent`: its data is not in what can
   * be read of the file.
   */
  readonly state: 'complete' | 'cut' | 'refused' | 'noTable' | 'inserted' | 'absent';
  /** Rows that were loaded; of `noTable`, those that are in the file. */
  readonly rows: number;
}

export interface Salvaged {
  readonly tables: readonly SalvagedTable[];
  /** How many large objects are whole. */
  readonly largeObjects: number;
  /** What is wrong with the file. */
  readonly defects: readonly string[];
  /** What the server refused, but what would only have added to a table that is not there. */
  readonly refused: readonly RefusedStatement[];
}

/** Its data is that of its partitions. */
const isPartitioned = /\nPARTITION BY [^\n]*;$/;

/** A row that the server refuses costs the rows of its piece. */
const pieceBytes = 64 * 1024;

/**
 * Loads what can be read of a damaged backup: an error costs one statement or one piece of rows, not
 * the rest.
 * @throws Failure `storage`, `cannotConnect`.
 */
export async function salvageArchive(
  server: Server,
  database: string,
  file: BackupFile,
  replay: ReplayFilter,
  options: ReadOptions,
): Promise<Salvaged> {
  const created: string[] = [];
  const parts = new LoadUnitSplitter(replay, pieceBytes);
  const reader = new ArchiveReader(file, options);
  await using loader = new TolerantLoader(server, database, { losesRows: true });
  for await (const token of reader) {
    const table = filledTableCreatedBy(token);
    if (table !== undefined) created.push(table);
    for (const part of parts.read(token)) await loader.load(part);
  }
  for (const part of parts.end()) await loader.load(part);
  await loader.keep();
  const { contents, defects } = reportOf(reader);
  const found = contents.cut === undefined ? contents.tables : [...contents.tables, contents.cut];
  const salvaged = found.map(({ table, rows: inFile }, block): SalvagedTable => {
    if (loader.absentBlocks.has(block)) return { table, state: 'noTable', rows: inFile };
    const rows = loader.rows.get(block) ?? 0;
    if (block >= contents.tables.length) return { table, state: 'cut', rows };
    const isWhole = rows === inFile && !loader.refusedBlocks.has(block);
    return { table, state: isWhole ? 'complete' : 'refused', rows };
  });
  const inserted = [...loader.inserted].map(([table, rows]): SalvagedTable => ({
    table,
    state: 'inserted',
    rows,
  }));
  const known = new Set([...found, ...inserted].map(({ table }) => table));
  const without = loader.absentTables
    .filter(({ table }) => !known.has(table))
    .map(({ table, inserts }): SalvagedTable => ({ table, state: 'noTable', rows: inserts }));
  for (const { table } of without) known.add(table);
  const expected = file.manifest?.tables.map(({ table }) => table) ?? created;
  const absent = expected.filter((table) => !known.has(table));
  return {
    tables: [
      ...salvaged,
      ...inserted,
      ...without,
      ...absent.map((table): SalvagedTable => ({ table, state: 'absent', rows: 0 })),
    ],
    largeObjects: loader.largeObjects,
    defects,
    refused: loader.refused.filter(({ isAddition }) => !isAddition).map(({ refused }) => refused),
  };
}

function filledTableCreatedBy(token: Token): string | undefined {
  const text = token.type === 'sql' ? token.statement?.text : undefined;
  return text === undefined || isPartitioned.test(text) ? undefined : tableCreatedBy(text);
}
