import { InvalidArgumentError, Option, type Command } from 'commander';
import { describeSetting } from '../config/settings.ts';
import type { Flags } from '../config/sources.ts';
import { Failure } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { pick } from '../base/pick.ts';
import type { Context } from '../context.ts';
import { moreOptions } from './help.ts';
import type { GlobalFlags } from './terminal.ts';

/** Options of every command that connects, named as PostgreSQL names them. */
export interface ConnectionFlags {
  readonly host?: string;
  readonly port?: string;
  readonly username?: string;
  readonly dbname?: string;
}

export function addConnectionOptions(command: Command): Command {
  const options = [
    new Option('--host <host>', describeSetting('host')),
    new Option('-p, --port <port>', describeSetting('port')),
    new Option('-U, --username <name>', describeSetting('user')),
    new Option('-d, --dbname <name>', describeSetting('database')),
  ];
  for (const option of options) command.addOption(option.helpGroup('Connection:'));
  return command;
}

export function addWaitOption(command: Command): Command {
  const option = new Option('--wait <seconds>', 'wait so long for another run to end');
  return command.addOption(option.argParser(wholeSeconds).default(0).helpGroup(moreOptions));
}

export function addJobsOption(command: Command, what: string, cores: number): Command {
  const option = new Option('-j, --jobs <n>', what).argParser(jobCount).helpGroup(moreOptions);
  return command.addOption(option.default(cores, 'the number of cores'));
}

/** The flags that are settings, under the settings' names. */
export function settingsFrom(flags: GlobalFlags & ConnectionFlags): Flags {
  return pick({
    host: flags.host,
    port: flags.port,
    user: flags.username,
    database: flags.dbname,
    backupDir: flags.backupDir,
    logFormat: flags.logFormat,
    logLevel: flags.verbose ? 'debug' : flags.quiet ? 'warn' : undefined,
  });
}

/** Options that say where a run works, by their names; those that are not set are undefined. */
export interface PlaceOptions {
  readonly directory: Readonly<Record<string, string | undefined>>;
  readonly connection: Readonly<Record<string, string | undefined>>;
}

/**
 * What says where this run works, and would not say so to another one: flags, and variables that can
 * have been given to this run alone (`DB_NAME=aifinance_test pratiko-backup restore`).
 */
export function placeOptions(
  { config, envFile, backupDir }: GlobalFlags,
  given: Flags,
  directory: string,
  environment: Context['environment'],
): PlaceOptions {
  const { BACKUP_DIR, DB_HOST, POSTGRES_HOST, DB_PORT, POSTGRES_PORT } = environment;
  const { DB_USER, POSTGRES_USER, DB_NAME, POSTGRES_DB } = environment;
  return {
    directory: {
      // Node takes --env-file for its own where that file is missing.
      '--config': config ?? envFile,
      '--backup-dir': backupDir ?? (BACKUP_DIR && directory),
    },
    connection: {
      '--host': given.host ?? (DB_HOST || POSTGRES_HOST),
      '--port': given.port ?? (DB_PORT || POSTGRES_PORT),
      '--username': given.user ?? (DB_USER || POSTGRES_USER),
      '--to': given.database ?? (DB_NAME || POSTGRES_DB),
    },
  };
}

/** Options that are set, as a person can type them, with a space before each word: ` --to 'a b'`. */
export const optionWords = (options: Readonly<Record<string, string | undefined>>) =>
  Object.entries(options)
    .map(([option, value]) => (value ? ` ${option} ${shellWord(value)}` : ''))
    .join('');

function jobCount(text: string): number {
  const jobs = Number(text);
  if (/^\d{1,3}$/.test(text) && jobs >= 1 && jobs <= 64) return jobs;
  throw new InvalidArgumentError('give a whole number from 1 to 64.');
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('give whole seconds, like 60.');
  return Number(text);
}

/**
 * What a command prints is no object.
 * @throws Failure `usage` with --json.
 */
export function requireText({ json }: GlobalFlags, command: string, what: string): void {
  if (!json) return;
  throw new Failure('usage', `${command} prints ${what}: leave out --json`, {
    hint: `\`pratiko-backup help ${command}\` shows examples`,
  });
}
