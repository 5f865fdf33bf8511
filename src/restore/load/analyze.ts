import { z } from 'zod';
import type { OnStep } from '../../base/step.ts';
import { query, type Server } from '../../postgres/psql.ts';
import { Session } from '../../postgres/psql-session.ts';

/** Partitions are analyzed with what they are partitions of. */
const selectTables = `
  SELECT format('%I.%I', nspname, relname) AS name, pg_table_size(c.oid) AS bytes
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
   WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND relpersistence <> 't'
   ORDER BY bytes DESC`;

const tableSchema = z.object({ name: z.string(), bytes: z.number() });

/** Small tables are asked for together up to this size and number: to ask takes longer than to do it. */
const together = { bytes: 4 * 1024 * 1024, tables: 32 };

export interface AnalyzeOptions {
  /** How many tables at a time. */
  readonly jobs: number;
  /** Tables that have theirs already. */
  readonly except: ReadonlySet<string>;
  readonly onStep: OnStep;
}

/**
 * Collects the statistics that the planner needs, of several tables at a time, large ones first.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function analyzeDatabase(
  server: Server,
  database: string,
  { jobs, except, onStep }: AnalyzeOptions,
): Promise<void> {
  const all = await query(server, database, tableSchema, selectTables);
  const tables = all.filter(({ name }) => !except.has(name));
  const ended = await Promise.allSettled(
    Array.from({ length: jobs }, async () => {
      await using session = new Session(server, database);
      while (tables.length > 0) {
        onStep({ what: 'collecting statistics, tables', left: tables.length });
        const next = takeTogether(tables);
        await session.ask(next.map(({ name }) => `ANALYZE ${name};`).join('\n'));
      }
    }),
  );
  for (const session of ended) if (session.status === 'rejected') throw session.reason;
}

/** Takes the first tables: one that is large, or several that are small. */
function takeTogether<Table extends { readonly bytes: number }>(tables: Table[]): Table[] {
  let bytes = 0;
  const end = tables.findIndex((table, index) => {
    bytes += table.bytes;
    return index > 0 && (bytes > together.bytes || index >= together.tables);
  });
  return tables.splice(0, end === -1 ? tables.length : end);
}
