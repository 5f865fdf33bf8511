import {
  firstLineOf,
  objectNamed,
  tableAddedTo,
  tableCreatedBy,
  tableInsertedInto,
} from '../../dump/statement.ts';
import type { LoadUnit } from '../../dump/load-unit.ts';
import { tableKey } from '../../dump/ordering.ts';
import { RefusedDump } from './failure.ts';
import { ownWork, RenewedSession } from './renewed-session.ts';
import type { Done } from './session.ts';
import type { Server } from '../../postgres/psql.ts';
import { SqlError } from '../../postgres/sql-error.ts';
import type { AbsentTable, RefusedSql } from './refusals.ts';

interface TolerantOptions {
  /** Whether rows that a table does not take are given up, too; else they end the load. */
  readonly losesRows: boolean;
}

/** SQLSTATE of what is not there: a table, a schema. */
const notThere = new Set(['42P01', '3F000']);

/** Enough of a statement to find its beginning behind comments. */
const headBytes = 20;

const wayOut = '--salvage rescues what can be had into a database of its own';

const closesLargeObject = /^SELECT pg_catalog\.lo_close\(/;

/**
 * Loads one part after the other, and goes on where the server refuses one. What belongs to a table that is not
 * there is passed over without being tried.
 */
export class TolerantLoader implements AsyncDisposable {
  readonly #session: RenewedSession;
  readonly #options: TolerantOptions;
  /** How many settings a refused statement has been given. */
  #settingsTold = 0;
  /** Tables that are not there, by `tableKey`. */
  readonly #absent = new Map<string, AbsentTable>();
  /** Rows that were loaded, by COPY block. */
  readonly rows = new Map<number, number>();
  /** COPY blocks of which rows are missing, although their table is there. */
  readonly refusedBlocks = new Set<number>();
  /** COPY blocks whose table is not there. */
  readonly absentBlocks = new Set<number>();
  readonly refused: RefusedSql[] = [];
  /** Rows that came as INSERT statements, by table as the dump writes it. */
  readonly inserted = new Map<string, number>();
  largeObjects = 0;

  constructor(server: Server, database: string, options: TolerantOptions) {
    this.#session = new RenewedSession(server, database);
    this.#options = options;
  }

  /** @throws Failure `restoreFailed` for refused rows of a table that is there, unless they may be lost. */
  async load(part: LoadUnit): Promise<void> {
    await (part.type === 'rows' ? this.#rows(part) : this.#statement(part));
  }

  get absentTables(): readonly AbsentTable[] {
    return [...this.#absent.values()];
  }

  /** What is in an open transaction stays. */
  async keep(): Promise<void> {
    await this.#session.keep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  async #rows(part: Extract<LoadUnit, { type: 'rows' }>): Promise<void> {
    const { block, table } = part;
    if (this.#absent.has(tableKey(table))) {
      this.absentBlocks.add(block);
      return;
    }
    const result = await this.#session.run(part);
    if (!(result instanceof SqlError)) {
      this.rows.set(
        block,
        result.copied.reduce((sum, rows) => sum + rows, this.rows.get(block) ?? 0),
      );
      return;
    }
    this.#requireNoTransaction(part, result);
    if (await this.#isAbsent(table, result)) {
      this.absentBlocks.add(block);
    } else {
      this.#loseRows(table, part, result);
      this.refusedBlocks.add(block);
    }
  }

  async #statement(part: Extract<LoadUnit, { type: 'statement' }>): Promise<void> {
    if (this.#isPassedOver(part)) return;
    const result = await this.#session.run(part);
    if (result instanceof SqlError) {
      this.#requireNoTransaction(part, result);
      await this.#refuse(part, result);
    } else {
      this.#noteInserted(part, result);
    }
    this.#session.remember(part, !(result instanceof SqlError));
    if (this.#options.losesRows && closesLargeObject.test(part.text)) {
      await this.#keepLargeObject(!(result instanceof SqlError));
    }
  }

  /** It would add something to a table that is not there. */
  #isPassedOver(part: Extract<LoadUnit, { type: 'statement' }>): boolean {
    if (this.#absent.size === 0) return false;
    const into = tableInsertedInto(part.text);
    const table = into ?? tableAddedTo(part.text);
    const absent = table === undefined ? undefined : this.#absent.get(tableKey(table));
    if (absent === undefined) return false;
    if (into === undefined) {
      absent.statements += 1;
      this.#tell(part, `there is no table ${absent.table}`, true);
    } else {
      absent.inserts += 1;
    }
    return true;
  }

  async #refuse(part: Extract<LoadUnit, { type: 'statement' }>, error: SqlError): Promise<void> {
    const into = tableInsertedInto(part.text);
    if (into === undefined) {
      this.#tell(part, error.told);
      const table = tableCreatedBy(part.text);
      if (table !== undefined) await this.#findAbsent(table);
    } else if (await this.#isAbsent(into, error)) {
      this.#isPassedOver(part);
    } else {
      this.#loseRows(into, part, error);
    }
  }

  /** What was done in a transaction of the file goes with what is refused in it. */
  #requireNoTransaction({ text }: LoadUnit, error: SqlError): void {
    if (!this.#session.inTransaction || this.#options.losesRows) return;
    throw new RefusedDump(
      'restoreFailed',
      `the server refused ${firstLineOf(text)} in a transaction of the dump, and all of that with it: ${error.message}`,
      { hint: `take BEGIN and COMMIT out of a copy of the dump; ${wayOut}`, cause: error },
    );
  }

  #noteInserted({ text }: LoadUnit, { inserted }: Done): void {
    if (inserted === 0) return;
    const table = tableInsertedInto(text) ?? 'unknown';
    this.inserted.set(table, (this.inserted.get(table) ?? 0) + inserted);
  }

  /** pg_dump writes large objects in transactions, up to 16 all in one: each stays that is whole. */
  async #keepLargeObject(isWhole: boolean): Promise<void> {
    if (!isWhole || !this.#session.inTransaction) return;
    if (!((await this.#session.run(ownWork('COMMIT; BEGIN;'))) instanceof SqlError)) {
      this.largeObjects += 1;
    }
  }

  /** Whether an error is that the table is not there. */
  async #isAbsent(table: string, error: SqlError): Promise<boolean> {
    return notThere.has(error.code) && (await this.#findAbsent(table));
  }

  /** Asks the server whether a table is there. */
  async #findAbsent(table: string): Promise<boolean> {
    const answer = await this.#session.run(ownWork(`SELECT FROM ${table} LIMIT 0;`));
    if (!(answer instanceof SqlError && notThere.has(answer.code))) return false;
    this.#absent.set(tableKey(table), { table, statements: 0, inserts: 0 });
    return true;
  }

  #loseRows(table: string, part: LoadUnit, error: SqlError): void {
    if (this.#options.losesRows) {
      this.#tell(part, error.told);
      return;
    }
    const message = `the server refused rows of ${table}, which exists: ${error.message}`;
    const hint = `only statements are left out, never rows of a table that exists; ${wayOut}`;
    throw new RefusedDump('restoreFailed', message, { hint, cause: error });
  }

  #tell({ sql, line, lines, text }: LoadUnit, reason: string, isAddition = false): void {
    const whole = Buffer.concat(sql);
    if (whole.every((byte) => byte <= 0x20)) return;
    const settings = this.#session.settings.slice(this.#settingsTold);
    this.#settingsTold = this.#session.settings.length;
    const shown = text === '' ? whole.toString() : text;
    const start = whole.indexOf(firstLineOf(shown).slice(0, headBytes));
    const refused = {
      line: line + lines - (text.split('\n').length - 1),
      object: objectNamed(whole.toString('utf8', 0, Math.max(start, 0))),
      statement: firstLineOf(shown),
      reason,
    };
    // Of what is only to be told nothing is kept: it can be all rows of a database.
    this.refused.push({ refused, settings, sql: this.#options.losesRows ? [] : sql, isAddition });
  }
}
