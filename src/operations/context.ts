import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Server } from '../postgres/psql.ts';
import { findTool, type ToolSearch } from '../postgres/tools.ts';
import { acquireLock, type Lock } from '../store/lock.ts';

/** What every operation is given. */
export interface Context {
  readonly config: Config;
  readonly log: Log;
  /** Aborted with the reason `Interrupted` when the run is to end. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly hostname: string;
  /** Of pratiko-backup. */
  readonly version: string;
  readonly now: () => Date;
}

/** Takes the lock of the backup directory for a command, see `acquireLock`. */
export async function lockDirectory(
  context: Context,
  command: string,
  waitSeconds: number,
): Promise<Lock> {
  return acquireLock({
    directory: context.config.backupDir,
    pid: context.pid,
    hostname: context.hostname,
    command,
    waitMs: waitSeconds * 1000,
    signal: context.signal,
  });
}

/** Where to look for pg_dump and psql. */
export function toolSearch({ config, environment, signal }: Context): ToolSearch {
  const path = environment.PATH;
  return {
    binDir: config.pgBinDir,
    environment: { LC_ALL: 'C', ...(path === undefined ? {} : { PATH: path }) },
    signal,
  };
}

/** The configured server. No connection is made yet. */
export async function configuredServer(context: Context): Promise<Server> {
  const { config, environment, signal } = context;
  const psql = await findTool('psql', toolSearch(context));
  return { psql, connection: config.connection, environment, signal };
}
