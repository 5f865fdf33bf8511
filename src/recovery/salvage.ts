import { readArchive, type ReadProgress } from '../archive/read.ts';
import type { Token } from '../dump/lexer.ts';
import { PartReader, type Part } from '../dump/parts.ts';
import type { Replay } from '../dump/replay.ts';
import { Failure } from '../errors.ts';
import { LoadSession, type Done, type Work } from '../postgres/load-session.ts';
import { SqlError, type Server } from '../postgres/psql.ts';
import type { BackupFile } from '../store/locate.ts';
import { manifestOf } from '../store/manifest.ts';

/** What became of one table of a damaged backup. */
export interface SalvagedTable {
  readonly table: string;
  /**
   * `complete`: its data has an end and arrived; `cut`: the file ends in it; `refused`: the server
   * did not take all of it; `inserted`: its rows came as INSERT statements, and how many there must be
   * nobody knows; `absent`: its data is not in what can be read of the file.
   */
  readonly state: 'complete' | 'cut' | 'refused' | 'inserted' | 'absent';
  /** That were loaded. */
  readonly rows: number;
}

export interface Salvaged {
  readonly tables: readonly SalvagedTable[];
  /** That are whole. */
  readonly largeObjects: number;
  /** What is wrong with the file. */
  readonly defects: readonly string[];
  /** What the server refused. */
  readonly errors: readonly string[];
}

const name = String.raw`(?:"(?:[^"]|"")*"|[^\s".(]+)`;
const createTable = new RegExp(String.raw`^CREATE (?:UNLOGGED )?TABLE (${name}(?:\.${name})?)\s`);
/** Its data is that of its partitions. */
const isPartitioned = /\nPARTITION BY [^\n]*;$/;

const insertInto = new RegExp(String.raw`^INSERT INTO (${name}(?:\.${name})?)\s`, 'm');
const beginsOrEnds = /^(?:BEGIN|COMMIT);/m;
const closesLargeObject = /^SELECT pg_catalog\.lo_close\(/m;
const statement = (sql: string): Work => ({ sql: [Buffer.from(sql)], line: 1, lines: 0 });

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
  replay: Replay,
  onProgress: ((progress: ReadProgress) => void) | undefined,
): Promise<Salvaged> {
  const created: string[] = [];
  const parts = new PartReader(replay, pieceBytes);
  const tokens = readArchive(file, { signal: server.signal, onProgress });
  await using loader = new Loader(server, database);
  let next = await tokens.next();
  try {
    for (; !next.done; next = await tokens.next()) {
      const table = tableCreatedBy(next.value);
      if (table !== undefined) created.push(table);
      for (const part of parts.read(next.value)) await loader.load(part);
    }
    for (const part of parts.end()) await loader.load(part);
    await loader.keep();
  } finally {
    await tokens.return(undefined as never);
  }
  const { contents, defects } = next.value;
  const found = contents.cut === undefined ? contents.tables : [...contents.tables, contents.cut];
  const salvaged = found.map(({ table, rows: inFile }, block): SalvagedTable => {
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
  const expected = manifestOf(file)?.tables.map(({ table }) => table) ?? created;
  const absent = expected.filter((table) => !known.has(table));
  return {
    tables: [
      ...salvaged,
      ...inserted,
      ...absent.map((table): SalvagedTable => ({ table, state: 'absent', rows: 0 })),
    ],
    largeObjects: loader.largeObjects,
    defects,
    errors: loader.errors,
  };
}

function tableCreatedBy(token: Token): string | undefined {
  const text = token.type === 'sql' ? token.statement?.text : undefined;
  return text === undefined || isPartitioned.test(text) ? undefined : createTable.exec(text)?.[1];
}

/**
 * Loads one part after the other. A psql that goes on after an error would take the rows of a COPY
 * that was refused for statements: it ends instead, and another one goes on.
 */
class Loader implements AsyncDisposable {
  readonly #server: Server;
  readonly #database: string;
  #session: LoadSession | undefined;
  /** What every session needs first. */
  readonly #settings: Buffer[] = [];
  #settingsLines = 0;
  #inTransaction = false;
  /** Loaded, by COPY block. */
  readonly rows = new Map<number, number>();
  readonly refusedBlocks = new Set<number>();
  readonly errors: string[] = [];
  /** Rows that came as INSERT statements, by table. */
  readonly inserted = new Map<string, number>();
  largeObjects = 0;

  constructor(server: Server, database: string) {
    this.#server = server;
    this.#database = database;
  }

  async load(part: Part): Promise<void> {
    const done = await this.#run(part);
    if (part.type === 'rows') {
      this.rows.set(part.block, (this.rows.get(part.block) ?? 0) + (done?.copied ?? 0));
      if (done === undefined) this.refusedBlocks.add(part.block);
      return;
    }
    if (done !== undefined && done.inserted > 0) this.#noteInserted(part, done.inserted);
    if (part.order?.type === 'session' && done !== undefined) {
      this.#settings.push(...part.sql);
      this.#settingsLines += part.lines;
    }
    if (part.order?.type === 'independent') await this.#large(part, done !== undefined);
  }

  #noteInserted({ sql }: Part, rows: number): void {
    const table = insertInto.exec(Buffer.concat(sql).toString())?.[1] ?? 'unknown';
    this.inserted.set(table, (this.inserted.get(table) ?? 0) + rows);
  }

  /** What is in an open transaction stays. */
  async keep(): Promise<void> {
    if (this.#inTransaction) await this.#run(statement('COMMIT;'));
  }

  /** pg_dump writes large objects in transactions, up to 16 all in one: each stays that is whole. */
  async #large({ sql }: Part, isDone: boolean): Promise<void> {
    const text = Buffer.concat(sql).toString();
    if (beginsOrEnds.test(text)) this.#inTransaction = text.includes('BEGIN;');
    if (!(isDone && closesLargeObject.test(text))) return;
    if (await this.#run(statement('COMMIT; BEGIN;'))) this.largeObjects += 1;
  }

  /** Undefined for what the server refused. */
  async #run(part: Work): Promise<Done | undefined> {
    this.#session ??= await this.#open();
    try {
      return await this.#session.run(part);
    } catch (error) {
      this.#server.signal.throwIfAborted();
      if (!(error instanceof Failure && error.cause instanceof SqlError)) throw error;
      this.errors.push(error.cause.message);
      await this.#session.kill();
      this.#session = undefined;
      return undefined;
    }
  }

  async #open(): Promise<LoadSession> {
    const session = new LoadSession(this.#server, this.#database);
    await session.run({ sql: this.#settings, line: 1, lines: this.#settingsLines });
    if (this.#inTransaction) await session.run(statement('BEGIN;'));
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.kill();
  }
}
