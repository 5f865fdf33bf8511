import { questionRefused } from './pg-dump.ts';
import type { Server } from './psql.ts';
import { Session } from './psql-session.ts';
import { SqlError } from './sql-error.ts';

/**
 * The moment of a database that pg_dump is to dump. pg_dump by itself sees a moment first, and waits for its locks
 * then: a table that is truncated or rewritten between the two (ALTER TABLE, a refresh in one transaction) looks empty
 * to it, without an error. Disposing ends the session that keeps the moment: pg_dump has it as soon as it writes.
 */
export class Snapshot implements AsyncDisposable {
  readonly #session: Session;
  /** As `pg_dump --snapshot` takes it. */
  readonly id: string;

  private constructor(session: Session, id: string) {
    this.#session = session;
    this.id = id;
  }

  /** @throws Failure `cannotConnect`, `dumpFailed`. */
  static async take(server: Server): Promise<Snapshot> {
    const session = new Session(server, server.connection.database);
    try {
      const [id = ''] = await session.ask(
        'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT pg_export_snapshot();',
      );
      return new Snapshot(session, id);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  /**
   * Tables whose rows are in another file than at that moment, as a dump calls them. Once pg_dump has its locks,
   * there will be no more of them. (The catalog is seen as it was then, and the function sees what is now.)
   * @throws Failure `cannotConnect`, `dumpFailed`.
   */
  async rewritten(): Promise<string[]> {
    try {
      return await this.#session.ask(selectRewritten);
    } catch (error) {
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}

const selectRewritten = `
      SELECT quote_ident(nspname) || '.' || quote_ident(relname)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
       WHERE relkind = 'r' AND relpersistence <> 't' AND relfilenode <> 0
         AND pg_relation_filenode(c.oid) <> relfilenode AND nspname !~ '^pg_' ORDER BY 1;`;
