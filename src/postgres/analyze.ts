import { z } from 'zod';
import { query, type Server } from './psql.ts';
import { Session } from './session.ts';

/** Partitions are analyzed with what they are partitions of. */
const selectTables = `
  SELECT format('%I.%I', nspname, relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
   WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND relpersistence <> 't'
   ORDER BY pg_table_size(c.oid) DESC`;

const tableSchema = z.object({ name: z.string() });

/**
 * Collects the statistics that the planner needs, of several tables at a time, large ones first.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function analyzeDatabase(
  server: Server,
  database: string,
  { jobs, except }: { readonly jobs: number; readonly except: ReadonlySet<string> },
): Promise<void> {
  const all = await query(server, database, tableSchema, selectTables);
  const tables = all.filter(({ name }) => !except.has(name));
  const ended = await Promise.allSettled(
    Array.from({ length: jobs }, async () => {
      await using session = new Session(server, database);
      for (let table = tables.shift(); table !== undefined; table = tables.shift()) {
        await session.ask(`ANALYZE ${table.name};`);
      }
    }),
  );
  for (const session of ended) if (session.status === 'rejected') throw session.reason;
}
