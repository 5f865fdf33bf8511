import { Failure } from '../base/errors.ts';
import { majorVersion } from '../base/major-version.ts';
import type { Child } from '../base/subprocess.ts';
import { libpqEnvironment } from './connection.ts';
import type { Server } from './psql.ts';
import { startTool, type Tool } from './start-tool.ts';

/** Everything in the database as plain SQL, with owners and privileges. Settings come by environment. */
function pgDumpArgs(options: DumpOptions): string[] {
  const { lockWaitTimeoutSeconds, encoding, snapshot, excludeTableData = [] } = options;
  return [
    ...['--format=plain', '--no-password', `--lock-wait-timeout=${lockWaitTimeoutSeconds}s`],
    ...(encoding === undefined ? [] : [`--encoding=${encoding}`]),
    ...(snapshot === undefined ? [] : [`--snapshot=${snapshot}`]),
    ...excludeTableData.map((pattern) => `--exclude-table-data=${pattern}`),
  ];
}

export interface DumpOptions {
  readonly lockWaitTimeoutSeconds: number;
  /**
   * That of the database, so that nothing is converted: somebody may have set another for the user or the database,
   * and several characters of one can be one of the other. Undefined: what the session has.
   */
  readonly encoding: string | undefined;
  /** The moment that is dumped (see `Snapshot`); undefined: that in which it begins. */
  readonly snapshot?: string;
  /** Patterns of tables whose rows are left out. */
  readonly excludeTableData?: readonly string[];
}

/** Where a dump comes from. The signal of the server ends it. */
export interface DumpSource extends Omit<DumpOptions, 'snapshot'> {
  readonly server: Server;
  readonly pgDump: Tool;
}

/** Starts pg_dump; the dump comes on stdout. */
export function startPgDump(server: Server, pgDump: Tool, options: DumpOptions): Child {
  const { environment, connection, signal, major } = server;
  const env = libpqEnvironment(environment, connection, connection.database, major);
  const args = pgDumpArgs(options);
  return startTool(pgDump, { args, env, readsInput: false }, signal);
}

/** @throws Failure `toolMissing`: pg_dump refuses servers that are newer than itself. */
export function requireNewEnough(pgDump: Tool, serverVersion: string): void {
  const needed = majorVersion(serverVersion);
  if (majorVersion(pgDump.version) >= needed) return;
  throw new Failure(
    'toolMissing',
    `${pgDump.path} is version ${pgDump.version}, too old for the server's ${serverVersion}`,
    {
      hint:
        pgDump.prefix !== undefined
          ? 'POSTGRES_EXEC must lead to where the server itself is installed; PG_BIN_DIR names the directory of its programs there'
          : `install the client of version ${needed} (\`sudo apt-get install postgresql-client-${needed}\`, \`brew install postgresql@${needed}\`) or set PG_BIN_DIR to it`,
    },
  );
}
