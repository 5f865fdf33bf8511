import type { Connection } from '../config.ts';
import { Failure } from '../errors.ts';

interface Diagnosis {
  readonly pattern: RegExp;
  readonly what: (connection: Connection, match: RegExpExecArray) => string;
  readonly hint: (connection: Connection) => string;
}

const running =
  'check that the database is running (`docker compose ps`) and that POSTGRES_HOST and POSTGRES_PORT are right';

/** What libpq and the server say when a connection fails, most specific first. */
const diagnoses: readonly Diagnosis[] = [
  {
    pattern: /Connection refused/,
    what: () => 'connection refused',
    hint: () => running,
  },
  {
    pattern: /password authentication failed|no password supplied|SCRAM/,
    what: ({ user }) => `the server does not accept the password of user "${user}"`,
    hint: () =>
      'check POSTGRES_USER and POSTGRES_PASSWORD; in .env put a password with # or spaces in single quotes',
  },
  {
    pattern: /role "(.*)" does not exist|role "(.*)" is not permitted to log in/,
    what: ({ user }) => `there is no user "${user}" who may log in`,
    hint: () => 'check POSTGRES_USER',
  },
  {
    pattern: /FATAL: {2}database "(.*)" does not exist/s,
    what: (_, match) => `there is no database "${match[1] ?? ''}"`,
    hint: () => 'check POSTGRES_DB (or DB_NAME); `psql --list` shows the databases of the server',
  },
  {
    pattern: /could not translate host name/,
    what: ({ host }) => `unknown host "${host}"`,
    hint: () => 'check POSTGRES_HOST',
  },
  {
    pattern: /timeout expired|Connection timed out/,
    what: () => 'the server does not answer',
    hint: () => running,
  },
  {
    pattern: /the database system is (starting up|shutting down|in recovery mode)/,
    what: (_, match) => `the database system is ${match[1] ?? 'not ready'}`,
    hint: () => 'wait a moment and run it again',
  },
  {
    pattern: /no pg_hba.conf entry[^\n]*/,
    what: (_, match) => match[0],
    hint: () => "allow this host and user in the server's pg_hba.conf, or set PGSSLMODE",
  },
  {
    pattern: /too many clients|remaining connection slots/,
    what: () => 'the server has no connection left',
    hint: () => 'close some clients or raise max_connections',
  },
  {
    pattern: /No such file or directory/,
    what: ({ host }) => `no server listens on the socket in ${host}`,
    hint: () => running,
  },
];

/** Explains why no connection could be made, from what psql or pg_dump wrote to stderr. */
export function connectionFailure(stderr: string, connection: Connection): Failure {
  const where = `cannot connect to ${connection.host}:${connection.port}`;
  for (const { pattern, what, hint } of diagnoses) {
    const match = pattern.exec(stderr);
    if (match) {
      return new Failure('cannotConnect', `${where}: ${what(connection, match)}`, {
        hint: hint(connection),
      });
    }
  }
  return new Failure('cannotConnect', `${where}: ${lastLine(stderr)}`, { hint: running });
}

/** The last thing a program said: usually why it ended. */
export function lastLine(stderr: string): string {
  return stderr.split('\n').at(-1)?.trim() ?? '';
}
