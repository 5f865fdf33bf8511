import { z } from 'zod';
import type { Connection } from '../config.ts';
import { Failure } from '../errors.ts';
import { start, run, type Child, type CommandLine, type Ending } from '../subprocess.ts';
import { libpqEnvironment } from './connection.ts';
import { connectionFailure } from './diagnosis.ts';
import type { Tool } from './tools.ts';

/** A server and the psql that talks to it. */
export interface Server {
  readonly psql: Tool;
  readonly connection: Connection;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A statement that the server refused. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE, five characters (PostgreSQL manual, Appendix A). */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Undoes what somebody has set for the user or the server to keep an application in check: a restore
 * takes its time, and must be able to write.
 */
const unbounded = `DO $$ BEGIN
  PERFORM set_config(name, CASE vartype WHEN 'bool' THEN 'off' ELSE '0' END, false) FROM pg_catalog.pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout',
      'idle_in_transaction_session_timeout', 'default_transaction_read_only');
  END $$`;

/**
 * psql that reads SQL from stdin and stops at the first error. `-X`: a psqlrc could undo that.
 * `verbose` messages carry the SQLSTATE in every language; `-f -` adds line numbers.
 */
function psqlCommand(server: Server, database: string, tags: boolean): CommandLine {
  return {
    file: server.psql.path,
    args: [
      ...['-X', '-w', '-A', '-t', ...(tags ? [] : ['-q'])],
      ...['-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-c', 'SET statement_timeout = 0'],
      ...['-c', unbounded, '-f', '-'],
    ],
    env: {
      ...libpqEnvironment(server.environment, server.connection, database),
      PGCLIENTENCODING: 'UTF8', // whatever the role's own
    },
  };
}

/** Starts psql for a stream of SQL; with `tags`, command tags come on stdout beside results. */
export function startPsql(server: Server, database: string, { tags }: { tags: boolean }): Child {
  return start(psqlCommand(server, database, tags), server.signal);
}

/**
 * Runs statements.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function execute(server: Server, database: string, sql: string): Promise<string> {
  const ending = await run(psqlCommand(server, database, false), server.signal, sql);
  if (ending.exitCode === 0) return ending.stdout;
  server.signal.throwIfAborted();
  throw questionFailure(ending, server);
}

/** Why a psql that was asked something did not answer. */
export function questionFailure({ signal, stderr }: Ending, { connection }: Server): Error {
  if (signal !== undefined) {
    return new Failure('cannotConnect', `psql was ended by ${signal}`, {
      hint: 'was the machine short of memory (`dmesg`)? run it again',
    });
  }
  return sqlError(stderr) ?? connectionFailure(stderr, connection);
}

/** Runs one SELECT and gives its rows, checked. */
export async function query<Row extends z.ZodType>(
  server: Server,
  database: string,
  row: Row,
  select: string,
): Promise<z.output<Row>[]> {
  const sql = `SELECT coalesce(json_agg(to_json(q)), '[]') FROM (${select}) AS q;`;
  return z.array(row).parse(JSON.parse(await execute(server, database, sql)));
}

/**
 * The error in psql's stderr with its detail, or undefined where there is none: the last message, for
 * psql stops there. The severity is in the server's language, and a warning can have the SQLSTATE of
 * an error; classes 00 to 02 never are one.
 */
export function sqlError(stderr: string, linesBefore = 0): SqlError | undefined {
  const match = [...stderr.matchAll(/^psql:<stdin>:(\d+): \S+: +(?!0[0-2])(\w{5}): (.*)$/gm)].at(
    -1,
  );
  if (!match) return undefined;
  const [, line = '', code = '', message = ''] = match;
  const detail = /^DETAIL: {2}(.*)$/m.exec(stderr.slice(match.index))?.[1];
  return new SqlError(
    code,
    `line ${Number(line) - linesBefore}: ${message}${detail ? ` (${detail})` : ''}`,
  );
}

/** What a command tag in psql's output tells of rows; undefined for any other line. */
export function readTag(line: string): { command: 'COPY' | 'INSERT'; rows: number } | undefined {
  const [, tag, rows] = /^(COPY|INSERT 0) (\d+)$/.exec(line) ?? [];
  return tag === undefined
    ? undefined
    : { command: tag === 'COPY' ? 'COPY' : 'INSERT', rows: Number(rows) };
}

/** A string as an SQL literal, whatever it contains. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** A string as an SQL identifier, whatever it contains. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
