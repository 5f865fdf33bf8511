import type { Server } from './psql.ts';
import { Session } from './psql-session.ts';

/** A connection that nobody has used for longer may be dead on the way, and not say so. */
const staleMs = 30_000;

/**
 * A session that stays open between questions to the maintenance database: to start psql takes longer than
 * most of what it is asked. It is opened when it is needed, and again where it has ended.
 */
export class KeptSession implements AsyncDisposable {
  readonly #server: Server;
  readonly #database: string;
  #session: Session | undefined;
  #usedAt = 0;
  #isBusy = false;

  /** @param session that is open already. */
  constructor(server: Server, database: string, session: Session) {
    this.#server = server;
    this.#database = database;
    this.#session = session;
    this.#usedAt = performance.now();
  }

  /** Whether it can be asked now, in the place of a psql of its own. */
  serves({ signal }: Server, database: string): boolean {
    return !this.#isBusy && database === this.#database && signal === this.#server.signal;
  }

  /**
   * Runs statements and gives what they put out.
   * @throws SqlError; Failure `cannotConnect`.
   */
  async ask(sql: string): Promise<string> {
    this.#isBusy = true;
    try {
      const session = await this.#open();
      const lines = await session.ask(sql);
      this.#usedAt = performance.now();
      return lines.map((line) => `${line}\n`).join('');
    } catch (error) {
      await this[Symbol.asyncDispose](); // psql has ended with the error
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  async #open(): Promise<Session> {
    if (this.#session !== undefined && !(await this.#isAlive(this.#session))) {
      await this[Symbol.asyncDispose]();
    }
    this.#session ??= new Session(this.#server, this.#database);
    return this.#session;
  }

  async #isAlive(session: Session): Promise<boolean> {
    if (performance.now() - this.#usedAt > staleMs) return false;
    try {
      await session.ask('SELECT 1;');
      return true;
    } catch {
      this.#server.signal.throwIfAborted();
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.[Symbol.asyncDispose]();
  }
}
