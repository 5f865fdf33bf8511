import { Failure } from '../base/errors.ts';
import { collect } from '../base/subprocess.ts';
import { libpqEnvironment } from './connection.ts';
import { execute, maintenanceOf, type Server } from './psql.ts';
import { startTool, type Tool } from './start-tool.ts';

/** Roles and memberships of a server, as SQL. */
export interface Globals {
  readonly sql: string;
  /** False: who connected may not read password hashes. */
  readonly hasPasswords: boolean;
}

/** How pg_dumpall ends what it writes. */
const end = /^-- PostgreSQL database cluster dump complete$/m;

/**
 * What belongs to the server and not to one of its databases, without tablespaces.
 * @throws Failure `dumpFailed`, `cannotConnect`.
 */
export async function dumpGlobals(server: Server, pgDumpall: Tool): Promise<Globals> {
  const { environment, connection, signal, major } = server;
  const database = maintenanceOf(server);
  const may = "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT');";
  const hasPasswords = (await execute(server, database, may)).trim() === 't';
  const args = [
    '--globals-only',
    '--no-tablespaces',
    '--no-password',
    `--database=${database}`,
    ...(hasPasswords ? [] : ['--no-role-passwords']),
  ];
  const env = libpqEnvironment(environment, connection, database, major);
  const call = { args, env, readsInput: false };
  const { exitCode, stdout, stderr, way } = await collect(startTool(pgDumpall, call, signal));
  signal.throwIfAborted();
  if (exitCode === 0 && end.test(stdout)) return { sql: stdout, hasPasswords };
  if (way !== undefined) {
    throw new Failure('dumpFailed', `the roles of the server are not stored: ${way.message}`, {
      hint: way.hint,
      cause: way,
    });
  }
  const said = stderr.split('\n')[0]?.replace(/^pg_dumpall: (?:error: )?/, '') ?? '';
  throw new Failure('dumpFailed', `pg_dumpall failed: ${said || 'it did not end'}`, {
    hint: 'the roles of the server are not stored; BACKUP_GLOBALS=false does without',
  });
}
