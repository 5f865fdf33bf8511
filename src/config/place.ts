import { shellWord } from '../base/format.ts';
import type { Config } from './config.ts';
import type { Connection } from './connection.ts';

/** A server, for people: `localhost:5433`, ``the server behind `docker compose exec -T db` ``. */
export function serverLabel({ host, port, through }: Connection): string {
  const address = `${host ?? 'localhost'}${port === undefined ? '' : `:${port}`}`;
  if (through === undefined) return address;
  const named = host === undefined && port === undefined ? 'the server' : address;
  return `${named} behind \`${throughLabel(through)}\``;
}

/** The command of POSTGRES_EXEC, as a person can copy it. */
export const throughLabel = (through: readonly string[]): string =>
  through.map(shellWord).join(' ');

/** Where a run works, for people: `database "aifinance" (POSTGRES_DB in .env) on localhost:5433 as "aifinance"`. */
export function describePlace({ connection, databaseSource }: Config): string {
  const { database, user } = connection;
  return `database "${database}" (${databaseSource}) on ${serverLabel(connection)} as "${user}"`;
}
