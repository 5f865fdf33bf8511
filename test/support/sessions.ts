import { expect, onTestFinished } from 'vitest';
import { sql } from './server.ts';

/** The name by which the server knows what a session of ours does there, once it does it. */
export async function sessionThat(database: string, does: string): Promise<string> {
  const session = () =>
    sql(
      'postgres',
      `SELECT application_name FROM pg_stat_activity
        WHERE application_name LIKE 'pratiko-backup%' AND pid <> pg_backend_pid()
          AND (datname = '${database}' OR query LIKE '%${database}%') AND ${does} LIMIT 1;`,
    );
  let seen = '';
  await expect.poll(async () => (seen = await session()), { timeout: 20_000 }).not.toBe('');
  return seen;
}

/** How many sessions of ours there are. */
export const ours = (database: string) =>
  sql(
    'postgres',
    `SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '${database}%' AND application_name LIKE 'pratiko-backup%';`,
  );

/** As SQL: it waits for a lock. */
export const waits = "wait_event_type = 'Lock'";

/** Something that keeps a statement waiting until the test has finished. */
export async function hold(database: string, statement: string): Promise<() => Promise<void>> {
  const name = `holder_${Math.random().toString(36).slice(2)}`;
  const holding = sql(
    database,
    `SET application_name = '${name}'; BEGIN; ${statement}; SELECT pg_sleep(600);`,
  ).catch(() => undefined);
  const held = `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${name}' AND query LIKE '%pg_sleep%';`;
  await expect.poll(() => sql('postgres', held)).toBe('1');
  const release = async () => {
    await sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}';`,
    );
    await holding;
  };
  onTestFinished(release);
  return release;
}
