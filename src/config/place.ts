import { shellWord } from '../base/format.ts';
import { commandLabel } from './command-label.ts';
import type { Config } from './config.ts';
import type { Connection } from './connection.ts';

/** A server, for people: `localhost:5433`, ``the server behind `docker compose exec -T db` ``. */
export function serverLabel({ host, port, through }: Connection): string {
  const address = `${host ?? ''}${port === undefined ? '' : `:${port}`}`;
  if (through === undefined) return address;
  const itsPort = port === undefined ? 'the server' : `port ${port}`;
  return `${host === undefined ? itsPort : address} behind \`${commandLabel(through)}\``;
}

/** Where a run works, for people: `database "aifinance" (POSTGRES_DB in .env) on localhost:5433 as "aifinance"`. */
export function describePlace({ connection, databaseSource }: Config): string {
  const { database, user } = connection;
  return `database "${database}" (${databaseSource}) on ${serverLabel(connection)} as "${user}"`;
}

/** What a person types to reach a server with psql: `psql -h localhost -p 5433 -U aifinance`. */
export const psqlCommand = ({ host, port, user, through }: Connection): string =>
  [
    ...(through === undefined ? [] : [commandLabel(through)]),
    'psql',
    ...(host === undefined ? [] : ['-h', shellWord(host)]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['-U', shellWord(user)],
  ].join(' ');
