import { questionRefused } from './pg-dump.ts';
import type { Server } from './psql.ts';
import { Session } from './psql-session.ts';
import { SqlError } from './sql-error.ts';

/**
 * The moment of a database that pg_dump is to dump. pg_dump by itself sees a moment first, and locks tables, by their
 * names, then: one that is truncated, rewritten (ALTER TABLE) or replaced by another one between the two looks empty to
 * it, without an error. Disposing ends the session that keeps the moment: pg_dump has it as soon as it writes.
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
        'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog; SELECT pg_export_snapshot();',
      );
      return new Snapshot(session, id);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  /**
   * Tables (`public.My Table`) whose name or rows are somewhere else than at that moment; once pg_dump has its locks,
   * there will be no more of them. What has only moved (VACUUM FULL, another tablespace) is among them.
   * @throws Failure `cannotConnect`, `dumpFailed`.
   */
  async replaced(): Promise<string[]> {
    try {
      const lines = await this.#session.ask(selectReplaced);
      return lines.map((line) => String(JSON.parse(line)));
    } catch (error) {
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}

/** The catalog is seen as it was at that moment, and the functions see what is now. */
const selectReplaced = `
  SELECT to_json(nspname || '.' || relname)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
   WHERE relkind = 'r' AND relpersistence <> 't' AND relfilenode <> 0
     AND nspname !~ '^pg_' AND nspname <> 'information_schema'
     AND (pg_relation_filenode(c.oid) IS DISTINCT FROM relfilenode
          OR c.oid::regclass::text <> quote_ident(nspname) || '.' || quote_ident(relname));`;
