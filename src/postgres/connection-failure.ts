import { quoteIdentifier } from '../base/sql.ts';
import type { Connection } from '../config/connection.ts';
import { Failure } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { psqlCommand, serverLabel } from '../config/place.ts';
import { tlsHint } from './tls-failure.ts';
import { refusalOf, refusalSaid } from './connection-probe.ts';

/** A connection that could not be made. */
export class ConnectionFailure extends Failure {
  /** SQLSTATE, where the server has refused it. */
  readonly code: string | undefined;

  constructor(message: string, hint: string, code: string | undefined) {
    super('cannotConnect', message, { hint });
    this.code = code;
  }
}

interface Reason {
  readonly what: string;
  readonly hint: string;
}

/** Which connection was tried, and what libpq said. */
interface Attempt {
  readonly connection: Connection;
  readonly database: string;
  readonly stderr: string;
}

/** What to look at where no server answers. */
const running = ({ host, port, through }: Connection): string =>
  through === undefined
    ? 'check that the database is running (`docker compose ps`) and that POSTGRES_HOST and POSTGRES_PORT are right'
    : host === undefined && port === undefined
      ? 'is it still starting? wait a moment and run it again; `docker compose ps` and `docker compose logs` tell'
      : 'take POSTGRES_HOST and POSTGRES_PORT out of .env: behind POSTGRES_EXEC, the server has its own';

const poolerHint =
  "a pooler (pgbouncer) between us and the server does not keep a session's settings: set POSTGRES_PORT to the server's own port";

/** What libpq itself says, in English because we ask it to; most specific first. */
const bySaying: readonly {
  readonly pattern: RegExp;
  readonly reason: (attempt: Attempt) => Reason;
}[] = [
  // Of several addresses, one that answers tells more than one that does not.
  {
    pattern: /^(?![^]*(?:FATAL|SSL error|certificate))[^]*Connection refused/,
    reason: ({ connection }) => ({ what: 'connection refused', hint: running(connection) }),
  },
  {
    pattern: /no password supplied/,
    reason: ({ connection: { user } }) => password(user),
  },
  {
    pattern: /could not translate host name/,
    reason: ({ connection: { host } }) => ({
      what: `unknown host "${host ?? ''}"`,
      hint: 'check POSTGRES_HOST',
    }),
  },
  {
    pattern: /timeout expired|Connection timed out/,
    reason: ({ connection }) => ({ what: 'the server does not answer', hint: running(connection) }),
  },
  {
    pattern: /server does not support SSL, but SSL was required/,
    reason: () => ({
      what: 'the server does not offer TLS, which PGSSLMODE requires',
      hint: 'turn TLS on in the server (`ssl = on`), or set PGSSLMODE=prefer where the network is your own',
    }),
  },
  {
    pattern: /invalid \w+ value|for connection option "/,
    reason: ({ stderr }) => ({
      what: lastLine(stderr).replace(/^\w+: error: /, ''),
      hint: 'a variable of libpq is wrong (PGSSLMODE, PGCONNECT_TIMEOUT, …): correct it in .env or the environment',
    }),
  },
  {
    pattern: /certificate|root\.crt|SSL error|private key/,
    reason: ({ connection, stderr }) => ({
      what: saidOf(stderr),
      hint: tlsHint(stderr) ?? running(connection),
    }),
  },
  {
    pattern: /unsupported startup parameter/,
    reason: () => ({ what: 'a connection pooler answers there', hint: poolerHint }),
  },
  {
    pattern: /No such file or directory/,
    reason: ({ connection }) => ({
      what: `no server listens on the socket in ${connection.host ?? 'the usual place'}`,
      hint:
        connection.host === undefined
          ? running(connection)
          : `the name of a socket ends in its port (.s.PGSQL.5432): see \`ls -a ${shellWord(connection.host)}\`, and set POSTGRES_PORT`,
    }),
  },
];

const password = (user: string): Reason => ({
  what: `the server does not accept the password of user "${user}"`,
  hint: `check POSTGRES_USER and POSTGRES_PASSWORD (without it, PGPASSWORD or ~/.pgpass); in .env put a password with # or spaces in single quotes; on a fresh server the user may be missing, which looks the same: CREATE ROLE ${quoteIdentifier(user)} LOGIN CREATEDB PASSWORD '…'`,
});

/** What an error means, by SQLSTATE (PostgreSQL manual, Appendix A): the words are in the server's language. */
const byCode: Readonly<Record<string, (attempt: Attempt) => Reason>> = {
  '28P01': ({ connection: { user } }) => password(user),
  '28000': ({ connection: { user }, stderr }) =>
    /pg_hba\.conf/.test(stderr)
      ? {
          what: `no line of pg_hba.conf lets user "${user}" in from here`,
          hint: "allow this host and user in the server's pg_hba.conf, or set PGSSLMODE",
        }
      : {
          what: `there is no user "${user}" who may log in`,
          hint: `check POSTGRES_USER; on a fresh server create it: CREATE ROLE ${quoteIdentifier(user)} LOGIN CREATEDB PASSWORD '…'`,
        },
  '3D000': ({ connection, database }) => ({
    what: `there is no database "${database}"`,
    hint: `check POSTGRES_DB (or DB_NAME); \`${psqlCommand(connection)} --list\` shows the databases of the server`,
  }),
  '42501': ({ connection: { user }, database }) => ({
    what: `user "${user}" may not connect to database "${database}"`,
    hint: `as its owner: GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(user)}`,
  }),
  '53300': () => ({
    what: 'the server has no connection left',
    hint: 'close some clients, or raise max_connections or the connection limit of the user or database',
  }),
  '55000': ({ database }) => ({
    what: `database "${database}" is closed to connections`,
    hint: `open it: ALTER DATABASE ${quoteIdentifier(database)} ALLOW_CONNECTIONS true`,
  }),
  '57P03': ({ stderr }) => ({
    what: /the database system is [a-z ]+/.exec(stderr)?.[0] ?? 'the database system is not ready',
    hint: 'wait a moment and run it again',
  }),
  '08P01': () => ({ what: 'a connection pooler answers there', hint: poolerHint }),
};

/** Explains why no connection could be made, from what psql or pg_dump wrote to stderr. */
export async function connectionFailure(
  attempt: Attempt,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConnectionFailure> {
  const { connection, database, stderr } = attempt;
  const where = `cannot connect to ${serverLabel(connection)}`;
  const said = bySaying.find(({ pattern }) => pattern.test(stderr))?.reason(attempt);
  const code =
    said === undefined
      ? (refusalSaid(stderr) ?? (await refusalOf(connection, database, environment)))
      : undefined;
  const reason = said ?? byCode[code ?? '']?.(attempt);
  if (reason !== undefined)
    return new ConnectionFailure(`${where}: ${reason.what}`, reason.hint, code);
  return new ConnectionFailure(`${where}: ${lastLine(stderr)}`, running(connection), code);
}

/** What libpq says where a connection breaks. */
const broken =
  /server closed the connection unexpectedly|connection to server was lost|no connection to the server|could not (?:receive|send) data|SSL connection has been closed|SSL error/;

/** Whether a connection that was there has been lost. */
export const isLostConnection = (stderr: string) =>
  broken.test(stderr) && !/connection to server (?:at|on) .* failed/.test(stderr);

/** One sentence for all the ways in which a connection can end. */
export const lostConnection = (connection: Connection, doing: string) =>
  `the connection to ${serverLabel(connection)} was lost while ${doing}`;

/** What to do then. */
export const lostHint =
  'is the server running (`docker compose ps`), and is the network between steady? run it again';

/** A session of a pooler can be another one for each transaction. */
export const poolerFailure = (connection: Connection) =>
  new ConnectionFailure(
    `${serverLabel(connection)} is a connection pooler, not the server itself`,
    poolerHint,
    undefined,
  );

/** What libpq says of its last attempt, which can have several lines: the first tells most. */
const saidOf = (stderr: string) =>
  /.*connection to server [^]*? failed: (.*)/.exec(stderr)?.[1] ?? lastLine(stderr);

/** The last thing a program said: usually why it ended. */
export function lastLine(stderr: string): string {
  return stderr.split('\n').at(-1)?.trim() ?? '';
}
