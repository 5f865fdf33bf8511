import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { Failure } from '../base/errors.ts';
import { howItEnded, type ProcessResult } from '../base/subprocess.ts';
import {
  connectionFailure,
  isLostConnection,
  lostConnection,
  lostHint,
} from './connection-failure.ts';
import { execute, within, type Server } from './psql.ts';
import { SqlError } from './sql-error.ts';

/** Something that pg_dump was to read was dropped or rewritten meanwhile: it can be tried again. */
export class ChangedMeanwhile extends Failure {}

/** What pg_dump would write of it is not of one moment: see `Snapshot`. */
export const changedMeanwhile = (name: string) =>
  new ChangedMeanwhile(
    'dumpFailed',
    `${name} was changed while pg_dump began: its rows or definitions would be missing`,
    {
      hint: 'no file was left; run it again when nobody refreshes or alters tables; rows that are made anew all the time can be left out (BACKUP_EXCLUDE_TABLE_DATA)',
    },
  );

/** The server has refused a question about the database that is to be dumped. */
export const questionRefused = (cause: SqlError) =>
  new Failure('dumpFailed', `the server did not tell about its database: ${cause.message}`, {
    hint: "no file was left; run it again, and if it stays so, look at the server's log",
    cause,
  });

/** How long the server may take to say more of what has failed. */
const askTimeoutMs = 10_000;

/**
 * Why pg_dump failed, from its ending; call it only for one that is not exit code 0. What it says of
 * the server is in the server's language: the server is asked again for the code.
 */
export async function dumpFailure(
  { stderr, ...ending }: ProcessResult,
  server: Server,
): Promise<Failure> {
  const { connection, environment } = server;
  const { way } = ending;
  if (way !== undefined)
    return new Failure('dumpFailed', way.message, {
      hint: `${way.hint}; no file was left`,
      cause: way,
    });
  if (/connection to server .* failed|could not translate host name/.test(stderr)) {
    return connectionFailure({ connection, database: connection.database, stderr }, environment);
  }
  const failed = (what: string, hint: string) =>
    new Failure('dumpFailed', `pg_dump failed (${howItEnded(ending)}): ${what}`, { hint });
  if (isLostConnection(stderr)) {
    const lost = lostConnection(connection, 'pg_dump read the database');
    return failed(`${lost}: ${errorOf(stderr)}`, `${lostHint}; no file was left`);
  }
  if (await isForRecovery(stderr, server)) {
    return failed(errorOf(stderr), `no file was left; ${standbyHint}`);
  }
  if (/invalid snapshot identifier|could not import the requested snapshot/.test(stderr)) {
    return new ChangedMeanwhile(
      'dumpFailed',
      `pg_dump did not find the session beside it: ${errorOf(stderr)}`,
      {
        hint: 'no file was left; does the name of the server lead to several servers? give the name of one (POSTGRES_HOST)',
      },
    );
  }
  const known = await askAgain(stderr, server);
  if (known !== undefined) return known;
  return failed(errorOf(stderr), "no file was left; the server's log may say more");
}

/** A standby ends a query that keeps it from following the primary. */
const standbyHint =
  'the server is a standby: let it wait for backups (max_standby_streaming_delay, hot_standby_feedback = on), or back up the primary; else run it again';

/** Whether a query was ended for that: in another language than English, any query of a standby may have been. */
async function isForRecovery(stderr: string, server: Server): Promise<boolean> {
  if (/conflict with recovery/.test(stderr) || /ERROR: {2}/.test(stderr)) {
    return /conflict with recovery/.test(stderr);
  }
  const { connection } = server;
  const sql = 'SELECT pg_is_in_recovery();';
  const answer = execute(within(server, askTimeoutMs), connection.database, sql);
  return (await answer.catch(() => '')).trim() === 't'; // what does not answer is not known to be one
}

/** What the server refuses of the query with which pg_dump ended, and what that means. */
async function askAgain(stderr: string, server: Server): Promise<Failure | undefined> {
  const query = /(?:[Qq]uery|Command) was: ([^]*?);?$/m.exec(stderr)?.[1]?.trim() ?? '';
  const locked = /^LOCK TABLE ([^]*) IN ACCESS SHARE MODE/.exec(query)?.[1];
  const copied = /^COPY (?:\(SELECT .* FROM (?:ONLY )?)?((?:"(?:[^"]|"")*"|[^\s"(])+)/.exec(
    query,
  )?.[1];
  const tables = locked ?? copied;
  if (tables === undefined) return undefined;
  const error = await ask(
    locked === undefined
      ? `SET row_security = off; SELECT FROM ${tables} LIMIT 0;`
      : `BEGIN; SET LOCAL lock_timeout = '100ms'; LOCK TABLE ${tables} IN ACCESS SHARE MODE;`,
    server,
  );
  if (error?.code === '42501') return missingPrivilege(tables, error, server);
  if (error !== undefined && ['42P01', '3F000'].includes(error.code)) {
    return new ChangedMeanwhile(
      'dumpFailed',
      `a table was dropped while it was dumped: ${error.reason}`,
      {
        hint: 'no file was left; run it again when nobody changes the tables',
      },
    );
  }
  if (locked === undefined || (error !== undefined && error.code !== '55P03')) return undefined;
  return new Failure('dumpFailed', `pg_dump waited too long for a locked table: ${tables}`, {
    hint: 'another session holds a lock (a migration, VACUUM FULL?): end it, run at another time, or raise LOCK_WAIT_TIMEOUT',
  });
}

async function ask(sql: string, server: Server): Promise<SqlError | undefined> {
  try {
    await execute(within(server, askTimeoutMs), server.connection.database, sql);
    return undefined;
  } catch (error) {
    return error instanceof SqlError ? error : undefined;
  }
}

async function missingPrivilege(table: string, error: SqlError, server: Server): Promise<Failure> {
  const { user, database } = server.connection;
  const may = `SELECT has_table_privilege(${quoteLiteral(table)}, 'SELECT');`;
  const isHidden = (await execute(server, database, may).catch(() => 'f')).trim() === 't';
  const grant =
    (server.major ?? 0) >= 14
      ? `GRANT pg_read_all_data TO ${quoteIdentifier(user)}`
      : `GRANT SELECT ON ALL TABLES IN SCHEMA … TO ${quoteIdentifier(user)}, for each schema`;
  return new Failure('cannotConnect', `missing privilege: ${error.reason}`, {
    hint: isHidden
      ? `row-level security hides rows from user "${user}": dump as the tables' owner or a role with BYPASSRLS`
      : `let user "${user}" read everything in the database: make it the owner, or ${grant}`,
  });
}

/** What pg_dump warns of in a dump that it has written whole: something is not in it (subscriptions), or hard to load. */
export function dumpWarnings(stderr: string): string[] {
  const warnings = stderr.matchAll(/^pg_dump: warning: (.*(?:\npg_dump: (?:detail|hint): .*)*)/gm);
  const said = [...warnings].map(([, text = '']) =>
    text.replaceAll(/\npg_dump: \w+: /g, '; ').slice(0, maxSaid),
  );
  return [...new Set(said)];
}

/** The most that is told of what a program says, in characters. */
const maxSaid = 1000;

/** The error with its detail, hint and context: what pg_dump adds is often the cause. */
function errorOf(stderr: string): string {
  const lines = stderr.split('\n');
  const first = lines.findIndex((line) => line.startsWith('pg_dump: error: '));
  const said = lines
    .slice(Math.max(first, 0))
    .map((line) => line.replace(/^pg_dump: (?:error: )?/, '').trim())
    .filter(Boolean)
    .join('; ');
  return said.slice(0, maxSaid) || 'it said nothing';
}
