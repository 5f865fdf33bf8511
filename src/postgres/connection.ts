import { pick } from '../base/pick.ts';
import type { Connection } from '../config/connection.ts';
import { libpqVariables } from '../config/libpq-variables.ts';
import { allVariables } from '../config/settings.ts';

/** Where to connect for work on databases as a whole, if it is there: never to one that is to be renamed. */
export const maintenanceDatabase = 'postgres';

/** Variables of libpq that would lead to another server or database, or change what a dump says. */
export const overruled: readonly string[] = [
  ...['PGHOST', 'PGPORT', 'PGHOSTADDR', 'PGSERVICE', 'PGSERVICEFILE'],
  ...['PGCLIENTENCODING', 'PGPASSFILE'],
];

/** What others call theirs: secrets can be among them, and children need none. */
const others = /^(?:AWS|DB|POSTGRES|RCLONE|SLACK)_/;

/** Whether libpq is given a variable as it is set. */
export const isPassedOn = (name: string): boolean =>
  libpqVariables.has(name) && !overruled.includes(name) && !ofConnection.has(name);

/** What the connection gives. */
const ofConnection = new Set(['PGUSER', 'PGPASSWORD', 'PGDATABASE']);

type Environment = Readonly<Record<string, string | undefined>>;

/** What opens the places for copies. */
const secretOfCopies = /^(?:AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN)$|RCLONE_)/;

/** The environment for a command of the team: theirs, without our settings, our secrets, and what libpq reads. */
export function environmentForCommands(environment: Environment): Record<string, string> {
  const ours = new Set([...allVariables(), ...libpqVariables]);
  return pick(environment, (name) => !ours.has(name) && !secretOfCopies.test(name));
}

/**
 * The environment for pg_dump and psql. libpq takes names and the password from it verbatim,
 * whatever characters they contain; its other variables (`PGSSLMODE`, …) pass through.
 * @param database the database to connect to.
 * @param major the server's version, where it is known.
 */
export function libpqEnvironment(
  environment: Environment,
  connection: Connection,
  database: string,
  major?: number,
): Record<string, string> {
  const withheld = new Set([...overruled, ...allVariables()]);
  const inherited = pick(environment, (name) => !withheld.has(name) && !others.test(name));
  return {
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'pratiko-backup',
    ...inherited,
    PGOPTIONS: [environment.PGOPTIONS, ...unhindered(major)].filter(Boolean).join(' '),
    ...(connection.host !== undefined && { PGHOST: connection.host }),
    ...(connection.port !== undefined && { PGPORT: String(connection.port) }),
    PGUSER: connection.user,
    // An empty one would come before what libpq finds by itself.
    ...(connection.password !== '' && { PGPASSWORD: connection.password }),
    PGDATABASE: database,
    // Messages that are parsed must not be translated or colored.
    LC_ALL: 'C',
    PG_COLOR: 'never',
  };
}

/**
 * Undoes what somebody has set for the user or the database to keep an application in check: a backup
 * takes its time, and a restore must be able to write. With the connection: a statement that lifts a
 * limit would run under it. What would have the server read a dump in another way than it is written is undone, too.
 */
function unhindered(major = 0): string[] {
  const limits = [
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    ...(major >= 14 ? ['idle_session_timeout'] : []),
    ...(major >= 17 ? ['transaction_timeout'] : []),
  ];
  const off = ['default_transaction_read_only', 'transform_null_equals', 'quote_all_identifiers'];
  return [
    ...limits.map((name) => `-c ${name}=0`),
    ...off.map((name) => `-c ${name}=off`),
    '-c array_nulls=on',
  ];
}

/**
 * A server that is given so many seconds to answer, unless the settings say how many (PGCONNECT_TIMEOUT): for what
 * may go without it.
 */
export const answeringWithin = <
  S extends { readonly environment: Readonly<Record<string, string | undefined>> },
>(
  server: S,
  seconds: number,
): S => ({
  ...server,
  environment: { PGCONNECT_TIMEOUT: String(seconds), ...server.environment },
});
