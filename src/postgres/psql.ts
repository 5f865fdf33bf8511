import { z } from 'zod';
import type { Connection } from '../config/connection.ts';
import { Failure } from '../base/errors.ts';
import { collect, type Child, type ProcessResult } from '../base/subprocess.ts';
import { libpqEnvironment, maintenanceDatabase } from './connection.ts';
import {
  connectionFailure,
  isLostConnection,
  lostConnection,
  lostHint,
} from './connection-failure.ts';
import { sqlError } from './sql-error.ts';
import { startTool, type Call, type Tool } from './start-tool.ts';

/** A server and the psql that talks to it. */
export interface Server {
  readonly psql: Tool;
  readonly connection: Connection;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Its major version, where that is known already: newer ones have more limits to lift. */
  readonly major?: number;
  /** Where to connect for work on databases as a whole, where it is not `postgres`. */
  readonly maintenance?: string;
  /** Answers what is asked of the maintenance database, where somebody keeps a session there. */
  readonly kept?: {
    serves(server: Server, database: string): boolean;
    ask(sql: string): Promise<string>;
  };
}

/** The same server, asked under another limit: a signal, or so many milliseconds from now. */
export const within = (server: Server, limit: AbortSignal | number): Server => ({
  ...server,
  signal: typeof limit === 'number' ? AbortSignal.timeout(limit) : limit,
});

/** Where to connect on a server for work on databases as a whole. */
export const maintenanceOf = (server: Server) => server.maintenance ?? maintenanceDatabase;

/**
 * psql that reads SQL from stdin and stops at the first error. `-X`: a psqlrc could undo that.
 * `verbose` messages carry the SQLSTATE in every language; `-f -` adds line numbers.
 */
function psqlCall(
  server: Server,
  database: string,
  { tags, encoding }: { readonly tags: boolean; readonly encoding: 'UTF8' | 'SQL_ASCII' },
): Call {
  const { environment, connection, major } = server;
  return {
    args: [
      ...['-X', '-w', '-A', '-t', ...(tags ? [] : ['-q'])],
      ...['-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-f', '-'],
    ],
    env: {
      ...libpqEnvironment(environment, connection, database, major),
      PGCLIENTENCODING: encoding,
    },
    readsInput: true,
  };
}

/** Starts psql for a dump: it is UTF-8 unless it says otherwise. Command tags come on stdout beside results. */
export function startLoader(server: Server, database: string): Child {
  const call = psqlCall(server, database, { tags: true, encoding: 'UTF8' });
  return startTool(server.psql, call, server.signal);
}

/**
 * Starts psql for questions: names and comments come and go as the bytes that they are (`textOf`), for
 * those of other databases can be in any encoding.
 */
export function startPsql(server: Server, database: string): Child {
  return startTool(server.psql, psqlCall(server, database, raw), server.signal);
}

/** So often, at most, an impatient person can hit it. */
const maxTries = 5;

const raw = { tags: false, encoding: 'SQL_ASCII' } as const;

/**
 * Runs statements.
 * @throws SqlError; Failure `cannotConnect`.
 */
export async function execute(server: Server, database: string, sql: string): Promise<string> {
  if (server.kept?.serves(server, database)) return server.kept.ask(sql);
  for (let tries = 1; ; tries += 1) {
    const ending = await collect(startPsql(server, database), sql);
    if (ending.exitCode === 0) return ending.stdout;
    server.signal.throwIfAborted();
    // psql itself does not die of it: the terminal's Ctrl-C has hit a child that had no session of its own yet.
    if (ending.signal === 'SIGINT' && tries < maxTries) continue;
    throw await questionFailure(ending, server, database);
  }
}

/**
 * Why a psql that was asked something did not answer.
 * @param linesBefore how many lines it was given before that.
 */
export async function questionFailure(
  { signal, stderr, way }: ProcessResult,
  { connection, environment }: Server,
  database: string,
  linesBefore = 0,
): Promise<Error> {
  if (way !== undefined) return way;
  if (signal !== undefined) {
    return new Failure('cannotConnect', `psql was ended by ${signal}`, {
      hint: 'was the machine short of memory (`dmesg`)? run it again',
    });
  }
  const refused = sqlError(stderr, linesBefore);
  if (refused !== undefined) return refused;
  if (isLostConnection(stderr)) {
    const message = lostConnection(connection, 'the server was asked something');
    return new Failure('cannotConnect', message, { hint: lostHint });
  }
  return connectionFailure({ connection, database, stderr }, environment);
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

/** What a command tag in psql's output tells of rows; undefined for any other line. */
export function readTag(line: string): { command: 'COPY' | 'INSERT'; rows: number } | undefined {
  const [, tag, rows] = /^(COPY|INSERT 0) (\d+)$/.exec(line) ?? [];
  return tag === undefined
    ? undefined
    : { command: tag === 'COPY' ? 'COPY' : 'INSERT', rows: Number(rows) };
}
