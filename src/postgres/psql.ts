import { z } from 'zod';
import type { Connection } from '../config.ts';
import { start, run, type Child, type CommandLine } from '../subprocess.ts';
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
 * psql that reads SQL from stdin and stops at the first error, unless told to go on. `-X`: a psqlrc could undo that.
 * `verbose` messages carry the SQLSTATE in every language; `-f -` adds line numbers.
 */
function psqlCommand(server: Server, database: string, stopOnError = true): CommandLine {
  return {
    file: server.psql.path,
    args: [
      ...['-X', '-w', '-A', '-t', '-f', '-'],
      ...['-v', `ON_ERROR_STOP=${Number(stopOnError)}`, '-v', 'VERBOSITY=verbose'],
    ],
    env: {
      ...libpqEnvironment(server.environment, server.connection, database),
      PGCLIENTENCODING: 'UTF8', // whatever the role's own
    },
  };
}

/** Starts psql for a stream of SQL; its command tags come on stdout. */
export function startPsql(server: Server, database: string, { stopOnError = true } = {}): Child {
  return start(psqlCommand(server, database, stopOnError), server.signal);
}

/**
 * Runs statements.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function execute(server: Server, database: string, sql: string): Promise<string> {
  const command = psqlCommand(server, database);
  const ending = await run({ ...command, args: [...command.args, '-q'] }, server.signal, sql);
  if (ending.exitCode === 0) return ending.stdout;
  server.signal.throwIfAborted();
  throw sqlError(ending.stderr) ?? connectionFailure(ending.stderr, server.connection);
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
 * The first error in psql's stderr with its detail, or undefined where there is none. The severity
 * is in the server's language; SQLSTATE classes 00 to 02 are notices and warnings.
 */
export function sqlError(stderr: string, linesBefore = 0): SqlError | undefined {
  const match = /^psql:<stdin>:(\d+): \S+: +(?!0[0-2])(\w{5}): (.*)$/m.exec(stderr);
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
