import { z } from 'zod';
import { questionRefused } from './dump-failure.ts';
import type { Server } from './psql.ts';
import { Session } from './psql-session.ts';
import { SqlError } from './sql-error.ts';

/** What has changed since a moment, as people call it (`public.My Table`). */
export interface Changes {
  /** Tables whose rows are not where they were: truncated, rewritten, replaced, or only moved (VACUUM FULL). */
  readonly replaced: readonly string[];
  /** What is defined in another way. */
  readonly redefined: readonly string[];
}

/** What is found of a table, or of all functions, views and types together. */
const foundSchema = z.object({
  number: z.string(),
  name: z.string(),
  /** Where its rows are. */
  rows: z.string(),
  /** A digest of what defines it. */
  definition: z.string(),
});

type Found = z.infer<typeof foundSchema>;

/**
 * The moment of a database that pg_dump is to dump. pg_dump by itself sees a moment first, and locks tables, by their
 * names, then: one that is truncated, rewritten (ALTER TABLE) or replaced by another one between the two looks empty to
 * it, without an error; and of what is defined in another way it writes one half as it was and one as it is. Disposing
 * ends the session that keeps the moment: pg_dump has it as soon as it writes.
 */
export class Snapshot implements AsyncDisposable {
  readonly #session: Session;
  readonly #before: readonly Found[];
  /** As `pg_dump --snapshot` takes it. */
  readonly id: string;

  private constructor(session: Session, id: string, before: readonly Found[]) {
    this.#session = session;
    this.id = id;
    this.#before = before;
  }

  /** @throws Failure `cannotConnect`, `dumpFailed`. */
  static async take(server: Server): Promise<Snapshot> {
    const session = new Session(server, server.connection.database);
    try {
      const [id = '', ...before] = await session.ask(
        `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SELECT pg_export_snapshot(); ${selectAll}`,
      );
      return new Snapshot(session, id, before.map(parse));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  /**
   * What has changed since; once pg_dump has its locks, no more of it will. The moment is over with that.
   * @throws Failure `cannotConnect`, `dumpFailed`.
   */
  async changes(): Promise<Changes> {
    try {
      const found = (await this.#session.ask(`COMMIT; ${selectAll}`)).map(parse);
      const now = new Map(found.map((each) => [keyOf(each), each]));
      const namesOf = (differs: (before: Found, same: Found | undefined) => boolean) =>
        this.#before.filter((each) => differs(each, now.get(keyOf(each)))).map(({ name }) => name);
      return {
        replaced: namesOf(({ rows }, same) => same?.rows !== rows),
        redefined: namesOf(
          ({ definition }, same) => (same ?? { definition }).definition !== definition,
        ),
      };
    } catch (error) {
      throw error instanceof SqlError ? questionRefused(error) : error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}

const parse = (line: string): Found => foundSchema.parse(JSON.parse(line));
/** One that got another name is another one: pg_dump locks what is called so. */
const keyOf = ({ number, name }: Found) => `${number} ${name}`;

/** As SQL: rows of a catalog with the transactions that wrote them, for to be compared. */
const written = (catalog: string, which: string) =>
  `(SELECT string_agg(o.oid::text || ':' || o.xmin::text, ',' ORDER BY o.oid) FROM pg_catalog.${catalog} AS o WHERE ${which})`;

const selectAll = `
  SELECT json_build_object('number', c.oid::text, 'name', nspname || '.' || relname, 'rows', c.relfilenode::text, 'definition', md5(concat_ws(' ',
           (SELECT string_agg(attnum::text || ':' || a.xmin::text, ',' ORDER BY attnum)
              FROM pg_catalog.pg_attribute AS a WHERE attrelid = c.oid AND attnum > 0),
           (SELECT string_agg(indexrelid::text || ':' || i.xmin::text, ',' ORDER BY indexrelid)
              FROM pg_catalog.pg_index AS i WHERE indrelid = c.oid),
           ${written('pg_trigger', 'tgrelid = c.oid')},
           ${written('pg_constraint', 'conrelid = c.oid')},
           ${written('pg_attrdef', 'adrelid = c.oid')})))
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
   WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
  UNION ALL
  SELECT json_build_object('number', '0', 'name', 'a function, view or type', 'rows', '', 'definition', md5(concat_ws(' ',
           ${written('pg_proc', 'o.oid >= 16384')},
           ${written('pg_enum', 'true')},
           ${written('pg_rewrite', "o.oid >= 16384 AND EXISTS (SELECT FROM pg_catalog.pg_class AS v WHERE v.oid = ev_class AND v.relpersistence <> 't')")})));`;
