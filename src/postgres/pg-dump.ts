import { Failure } from '../errors.ts';
import { start, type Child, type Ending } from '../subprocess.ts';
import { libpqEnvironment } from './connection.ts';
import { connectionFailure, lastLine } from './diagnosis.ts';
import type { Server } from './psql.ts';
import { majorVersion, type Tool } from './tools.ts';

/** Everything in the database as plain SQL, with owners and privileges. Settings come by environment. */
function pgDumpArgs(lockWaitTimeoutSeconds: number): string[] {
  return ['--format=plain', '--no-password', `--lock-wait-timeout=${lockWaitTimeoutSeconds}s`];
}

/** Starts pg_dump; the dump comes on stdout. */
export function startPgDump(server: Server, pgDump: Tool, lockWaitTimeoutSeconds: number): Child {
  const { environment, connection, signal } = server;
  return start(
    {
      file: pgDump.path,
      args: pgDumpArgs(lockWaitTimeoutSeconds),
      env: libpqEnvironment(environment, connection, connection.database),
    },
    signal,
  );
}

/** @throws Failure `toolMissing`: pg_dump refuses servers that are newer than itself. */
export function requireNewEnough(pgDump: Tool, serverVersion: string): void {
  const needed = majorVersion(serverVersion);
  if (majorVersion(pgDump.version) >= needed) return;
  throw new Failure(
    'toolMissing',
    `${pgDump.path} is version ${pgDump.version}, too old for the server's ${serverVersion}`,
    {
      hint: `install the client of version ${needed} (\`sudo apt-get install postgresql-client-${needed}\`, \`brew install postgresql@${needed}\`) or set PG_BIN_DIR to it`,
    },
  );
}

/** Why pg_dump failed, from its ending; call it only for one that is not exit code 0. */
export function dumpFailure(ending: Ending, server: Server): Failure {
  const { stderr } = ending;
  if (/connection to server .* failed|could not translate host name/.test(stderr)) {
    return connectionFailure(stderr, server.connection);
  }
  const denied = /permission denied for [^\n]*|must be superuser[^\n]*/.exec(stderr)?.[0];
  if (denied !== undefined) {
    return new Failure('cannotConnect', `missing privilege: ${denied}`, {
      hint: `let user "${server.connection.user}" read everything in the database: make it the owner, or GRANT pg_read_all_data`,
    });
  }
  if (/row-level security/.test(stderr)) {
    return new Failure('cannotConnect', `missing privilege: ${errorOf(stderr)}`, {
      hint: `row-level security hides rows from user "${server.connection.user}": dump as the tables' owner or a role with BYPASSRLS`,
    });
  }
  // pg_dump bounds the wait with statement_timeout.
  if (/canceling statement due to .* timeout[^]*LOCK TABLE/.test(stderr)) {
    return new Failure(
      'dumpFailed',
      `pg_dump waited too long for a locked table: ${lockedTable(stderr)}`,
      {
        hint: 'another session holds a lock (a migration, VACUUM FULL?): end it, run at another time, or raise LOCK_WAIT_TIMEOUT',
      },
    );
  }
  const how = ending.signal === undefined ? `exit code ${ending.exitCode}` : ending.signal;
  return new Failure('dumpFailed', `pg_dump failed (${how}): ${errorOf(stderr)}`, {
    hint: "no file was left; the server's log may say more",
  });
}

function errorOf(stderr: string): string {
  return /^pg_dump: error: (.*)$/m.exec(stderr)?.[1] ?? (lastLine(stderr) || 'it said nothing');
}

function lockedTable(stderr: string): string {
  return /LOCK TABLE (.*?) IN ACCESS SHARE MODE/s.exec(stderr)?.[1] ?? errorOf(stderr);
}
