import type { Config } from './config/config.ts';
import { Failure } from './base/errors.ts';
import type { Log } from './base/log.ts';
import { pick } from './base/pick.ts';
import type { Watched } from './base/step.ts';
import { keysOf, type Keys } from './encryption/keys.ts';
import type { Gpg } from './encryption/gpg.ts';
import type { Server } from './postgres/psql.ts';
import { contactMaintenance, type MaintainedServer } from './postgres/contact.ts';
import { isPassedOn } from './postgres/connection.ts';
import { configuredTool } from './postgres/tool-search.ts';
import { acquireLock, type Lock } from './backup-directory/lock.ts';

/** What every operation is given. */
export interface Context extends Watched {
  readonly config: Config;
  readonly log: Log;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly pid: number;
  readonly hostname: string;
  /** Our user id; 0 where the system has none. */
  readonly uid: number;
  /** Where throw-away files may be made. */
  readonly temporaryDirectory: string;
  /** The version of pratiko-backup. */
  readonly version: string;
  readonly now: () => Date;
  /** Adds to commands that are named in a text, in backticks, what says where this run works. */
  readonly completeCommands: (text: string) => string;
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
    now: context.now,
    signal: context.signal,
  });
}

/**
 * The same for a command that only reads backups: retention must not remove what it reads. Where
 * nobody can write there is no retention, and it goes on without a lock.
 */
export async function lockToRead(
  context: Context,
  command: string,
  waitSeconds: number,
): Promise<Lock | undefined> {
  try {
    return await lockDirectory(context, command, waitSeconds);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'storage')) throw error;
    context.log.debug(`going on without a lock: ${error.message}`);
    return undefined;
  }
}

/** What backups are read with. */
export function readAccess(context: Context): Watched & { readonly keys: Keys } {
  const { signal, onStep } = context;
  return { signal, onStep, keys: keysOf(context.config.keys, gpgFor(context)) };
}

const forGpg = ['PATH', 'HOME', 'GNUPGHOME', 'GPG_TTY', 'TERM', 'XDG_RUNTIME_DIR'];

/** gpg is given what it needs to find its keys and to ask for their passphrases, and no secret of ours. */
export function gpgFor({ environment, signal }: Context): Gpg {
  const given = pick(environment, (name) => forGpg.includes(name));
  return { environment: { LC_ALL: 'C', ...given }, signal };
}

/** The configured server. No connection is made yet. */
export async function configuredServer(context: Context): Promise<Server> {
  const { config, signal } = context;
  const psql = await configuredTool(context, 'psql');
  const environment = { ...context.environment, ...config.libpq };
  const passedOn = Object.keys(config.libpq).filter(isPassedOn).sort();
  // Those of the settings file are easily forgotten.
  const level = passedOn.some((name) => name in config.settingsFile.values) ? 'info' : 'debug';
  if (passedOn.length > 0) context.log[level](`for libpq: ${passedOn.join(', ')}`);
  return { psql, connection: config.connection, environment, signal };
}

/**
 * The configured server, which has answered, for work on databases as a whole. Disposing ends its session.
 * @throws Failure `cannotConnect`.
 */
export async function contactedServer(context: Context): Promise<MaintainedServer> {
  return contactMaintenance(await configuredServer(context));
}
