import type { LoadUnit } from '../../dump/load-unit.ts';
import { actsAs, isInTransactionAfter } from '../../dump/ordering.ts';
import type { Server } from '../../postgres/psql.ts';
import type { SqlError } from '../../postgres/sql-error.ts';
import { RefusedDump } from './failure.ts';
import { LoadSession, type Done, type Work } from './session.ts';

/** SQL of our own, as work. */
export const ownWork = (sql: string): Work => ({ sql: [Buffer.from(sql)], line: 1, lines: 0 });

/**
 * A session that goes on behind what the server refused. A psql that goes on after an error would take the
 * rows of a COPY that was refused for statements: it ends instead, and another one goes on, set as the dump
 * has set the one before.
 */
export class RenewedSession implements AsyncDisposable {
  readonly #server: Server;
  readonly #database: string;
  #session: LoadSession | undefined;
  readonly #settings: Buffer[] = [];
  #settingsLines = 0;
  #role: Buffer[] = [];
  #inTransaction = false;

  constructor(server: Server, database: string) {
    this.#server = server;
    this.#database = database;
  }

  /** Statements of the dump that have set something for all that follows. */
  get settings(): readonly Buffer[] {
    return this.#settings;
  }

  /** Whether the dump has begun a transaction that it has not ended. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** @returns the error of what the server refused. */
  async run(work: Work): Promise<Done | SqlError> {
    this.#session ??= await this.#open();
    try {
      return await this.#session.run(work);
    } catch (error) {
      this.#server.signal.throwIfAborted();
      if (!(error instanceof RefusedDump)) throw error;
      await this.#session.kill();
      this.#session = undefined;
      return error.cause;
    }
  }

  /** Remembers what a statement that was run means for those that follow. */
  remember(part: Extract<LoadUnit, { type: 'statement' }>, isDone: boolean): void {
    const { text, sql, lines, order } = part;
    if (isDone && order?.type === 'session') {
      this.#settings.push(...sql);
      this.#settingsLines += lines;
    }
    const isAnother = actsAs(text);
    if (isDone && isAnother !== undefined) this.#role = isAnother ? [...sql] : [];
    this.#inTransaction = isInTransactionAfter(text) ?? this.#inTransaction;
  }

  /** What is in an open transaction stays. */
  async keep(): Promise<void> {
    if (this.#inTransaction) await this.run(ownWork('COMMIT;'));
    await this.#session?.end();
    this.#session = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.kill();
  }

  async #open(): Promise<LoadSession> {
    const session = new LoadSession(this.#server, this.#database);
    await session.run({ sql: this.#settings, line: 1, lines: this.#settingsLines });
    if (this.#role.length > 0) await session.run({ sql: this.#role, line: 1, lines: 0 });
    if (this.#inTransaction) await session.run(ownWork('BEGIN;'));
    return session;
  }
}
