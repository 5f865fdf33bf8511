import type { Connection } from '../config/connection.ts';
import { allVariables } from '../config/settings.ts';

/** Where to connect for work on databases as a whole, if it is there: never to one that is to be renamed. */
export const maintenanceDatabase = 'postgres';

/** Variables of libpq that would lead to another server or database, or change what a dump says. */
const overruled = [
  ...['PGHOST', 'PGPORT', 'PGHOSTADDR', 'PGSERVICE', 'PGSERVICEFILE'],
  ...['PGCLIENTENCODING', 'PGPASSFILE'],
];

/** What others call theirs: secrets can be among them, and children need none. */
const others = /^(?:AWS|DB|POSTGRES|RCLONE|SLACK)_/;

/** Whether libpq is given a variable as it is set. */
export const isPassedOn = (name: string): boolean =>
  /^PG[A-Z]/.test(name) && !overruled.includes(name) && !allVariables().includes(name);

/** The environment for a command that is not ours: without our settings and what may be secret. */
export function environmentForOthers(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const withheld = new Set(allVariables());
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !withheld.has(entry[0]) && !others.test(entry[0]),
    ),
  );
}

/** The same without what libpq reads, for commands of which nothing needs our connection. */
export const environmentForCommands = (
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environmentForOthers(environment)).filter(([name]) => !/^PG[A-Z]/.test(name)),
  );

/**
 * The environment for pg_dump and psql. libpq takes names and the password from it verbatim,
 * whatever characters they contain; its other variables (`PGSSLMODE`, …) pass through.
 * @param database the database to connect to.
 * @param major the server's version, where it is known.
 */
export function libpqEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  connection: Connection,
  database: string,
  major?: number,
): Record<string, string> {
  const inherited = Object.entries(environmentForOthers(environment)).filter(
    ([name]) => !overruled.includes(name),
  );
  return {
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'pratiko-backup',
    ...Object.fromEntries(inherited),
    PGOPTIONS: [environment.PGOPTIONS, ...unbounded(major)].filter(Boolean).join(' '),
    ...(connection.host !== undefined && { PGHOST: connection.host }),
    ...(connection.port !== undefined && { PGPORT: String(connection.port) }),
    PGUSER: connection.user,
    PGPASSWORD: connection.password,
    PGDATABASE: database,
    // Messages that are parsed must not be translated or colored.
    LC_ALL: 'C',
    PG_COLOR: 'never',
  };
}

/**
 * Undoes what somebody has set for the user or the database to keep an application in check: a backup
 * takes its time, and a restore must be able to write. With the connection: a statement that lifts a
 * limit would run under it.
 */
function unbounded(major = 0): string[] {
  const limits = [
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    ...(major >= 14 ? ['idle_session_timeout'] : []),
    ...(major >= 17 ? ['transaction_timeout'] : []),
  ];
  return [...limits.map((name) => `-c ${name}=0`), '-c default_transaction_read_only=off'];
}
