import { quoteIdentifier } from '../base/sql.ts';
import { dirname } from 'node:path';
import { z } from 'zod';
import { formatPlural } from '../base/format.ts';
import { createDatabase } from '../postgres/databases.ts';
import { execute, query, type Server } from '../postgres/psql.ts';
import { run, type CommandLine } from '../base/subprocess.ts';
import { demoDatabase } from './database.ts';

export interface Stage {
  readonly server: Server;
  readonly version: string;
  readonly say: (line: string) => void;
  /** `pratiko-backup`, with settings that lead to this server and a directory of the demo's. */
  readonly tool: CommandLine;
}

const database = 'aifinance';

/** The main job: a backup, a disaster, a restore, and the proof that nothing is missing. */
export async function tellStory(stage: Stage): Promise<void> {
  const { server, say } = stage;
  say(`PostgreSQL ${stage.version} answers. Filling a small database like PratikoAI's ...`);
  await createDatabase(server, database, undefined);
  await execute(server, database, demoDatabase);
  const before = await fingerprints(server);

  say('\n1. A backup, as cron makes one every night:');
  await perform(stage, ['backup']);

  say('\n2. What it holds, read back from the file:');
  await perform(stage, ['list']);
  await perform(stage, ['verify', '--json'], describeVerdict, '   (in short:)');

  say('\n3. The volume is gone:');
  await execute(server, 'postgres', `DROP DATABASE ${quoteIdentifier(database)};`);
  say('   DROP DATABASE aifinance');

  say('\n4. The restore:');
  await perform(stage, ['restore', '--yes']);

  say('\n5. Is everything back? Each table before and after, every row compared:');
  compare(before, await fingerprints(server), say);

  say(
    '\n6. Once more, with psql and pg_dump behind a command that passes no environment on (POSTGRES_EXEC):',
  );
  const elsewhere = { ...stage, tool: throughCommand(stage) };
  await perform(elsewhere, ['backup']);
  await perform(elsewhere, ['restore', '--yes']);
  compare(before, await fingerprints(server), say);
  say('');
}

/** As a container is reached: what is behind the command has an environment of its own. */
function throughCommand({ tool, server }: Stage): CommandLine {
  const PG_BIN_DIR = dirname(server.psql.path);
  return { ...tool, env: { ...tool.env, PG_BIN_DIR, POSTGRES_EXEC: 'env -i' } };
}

/** What a person at a terminal does not see. */
const asInALog = /^\[[-\d: ]+\] (?:INFO: )?/;

/** Runs the tool and shows what a person would see. */
async function perform(
  { tool, server, say }: Stage,
  args: readonly string[],
  present = (result: string) => result,
  remark = '',
): Promise<void> {
  say(`   $ pratiko-backup ${args.join(' ')}${remark}`);
  const ending = await run({ ...tool, args: [...tool.args, ...args] }, server.signal);
  for (const line of `${ending.stderr}\n${present(ending.stdout)}`.split('\n').filter(Boolean)) {
    say(`   ${line.replace(asInALog, '')}`);
  }
  if (ending.exitCode !== 0) throw new Error(`pratiko-backup ${args.join(' ')} failed`);
}

const verdictSchema = z.object({
  backups: z.array(
    z.object({ tables: z.array(z.object({ table: z.string(), rows: z.number() })) }),
  ),
});

function describeVerdict(json: string): string {
  const { backups } = verdictSchema.parse(JSON.parse(json));
  const tables = backups.flatMap((backup) => backup.tables);
  return tables
    .map(({ table, rows }) => `${table.padEnd(24)} ${formatPlural(rows, 'row').padStart(9)}`)
    .join('\n');
}

const fingerprintSchema = z.object({ name: z.string(), rows: z.number(), digest: z.string() });

type Fingerprint = z.infer<typeof fingerprintSchema>;

/** The number of rows of each table, view and sequence, and a digest over all of them. */
async function fingerprints(server: Server): Promise<Fingerprint[]> {
  const relations = await query(
    server,
    database,
    z.object({ name: z.string(), columns: z.string() }),
    `SELECT relname AS name,
            CASE relkind WHEN 'S' THEN 'last_value, is_called' ELSE '*' END AS columns
       FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S') ORDER BY relname`,
  );
  return query(
    server,
    database,
    fingerprintSchema,
    relations
      .map(
        ({ name, columns }) =>
          `SELECT '${name}' AS name, count(*) AS rows,
                  md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) AS digest
             FROM (SELECT ${columns} FROM ${quoteIdentifier(name)}) AS t`,
      )
      .join(' UNION ALL '),
  );
}

function compare(before: Fingerprint[], after: Fingerprint[], say: Stage['say']): void {
  for (const [index, { name, rows, digest }] of before.entries()) {
    const same = after[index]?.name === name && after[index].digest === digest;
    say(
      `   ${name.padEnd(24)} ${formatPlural(rows, 'row').padStart(9)}   ${same ? 'identical' : 'DIFFERENT'}`,
    );
    if (!same) throw new Error(`${name} did not come back as it was`);
  }
  if (before.length !== after.length) throw new Error('a table did not come back');
}
