import type { Config } from './config.ts';

/** Where a run works, for people: `database "aifinance" (POSTGRES_DB in .env) on localhost:5433 as "aifinance"`. */
export function describePlace({ connection, databaseSource }: Config): string {
  const { database, host, port, user } = connection;
  return `database "${database}" (${databaseSource}) on ${host}:${port} as "${user}"`;
}
