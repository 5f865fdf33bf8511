import type { Config } from '../config/config.ts';
import type { Log } from '../base/log.ts';
import { environmentForCommands } from './connection.ts';
import { endSessionByHand } from './end-session.ts';
import type { Prefix } from './prefix.ts';
import type { Tool } from './start-tool.ts';
import { findTool, type ToolSearch } from './tools.ts';

/** What decides where PostgreSQL's programs are, of all that operations are given. */
interface ToolContext {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One of PostgreSQL's programs, as the settings say; see `findTool`. */
export const configuredTool = (context: ToolContext, name: string): Promise<Tool> =>
  findTool(name, toolSearch(context));

/** Where to look for pg_dump and psql. */
export function toolSearch(context: ToolContext): ToolSearch {
  const { pgBinDir: binDir } = context.config;
  return { ...localToolSearch(context), binDir, prefix: prefixOf(context) };
}

/** Where to look for them on this machine. */
export function localToolSearch({ config, environment, signal }: ToolContext): ToolSearch {
  const path = environment.PATH;
  return {
    binDir: binDirHere(config),
    environment: { LC_ALL: 'C', ...(path === undefined ? {} : { PATH: path }) },
    signal,
  };
}

/** PG_BIN_DIR as far as it is a directory of this machine. */
export const binDirHere = ({ connection, pgBinDir }: Config): string | undefined =>
  connection.through === undefined ? pgBinDir : undefined;

/** What POSTGRES_EXEC says, run where the project is: also cron finds a compose file there. */
function prefixOf({ config, log, environment }: ToolContext): Prefix | undefined {
  const words = config.connection.through;
  if (words === undefined) return undefined;
  const timeout = Number(config.libpq.PGCONNECT_TIMEOUT);
  return {
    words,
    environment: environmentForCommands(environment),
    cwd: config.projectRoot,
    answerSeconds: timeout > 0 ? timeout * answerFactor : defaultAnswerSeconds,
    onUnended: (session) =>
      log.warn(
        { hint: `end it there: ${endSessionByHand(session)}` },
        `the server could not be asked to end the session "${session}": it may be at work still`,
      ),
    binDir: config.pgBinDir,
  };
}

/** A command like `docker exec` may take longer than a connection. */
const answerFactor = 3;
const defaultAnswerSeconds = 30;
