import { InvalidArgumentError, Option, type Command } from 'commander';
import { exitCodes, type FailureKind } from '../base/errors.ts';
import { describeSetting } from '../config/settings.ts';
import type { Flags } from '../config/sources.ts';
import { shellWord } from '../base/format.ts';
import type { Context } from '../context.ts';
import type { GlobalFlags } from './terminal.ts';

/** Options of every command that connects, named as PostgreSQL names them. */
export interface ConnectionFlags {
  readonly host?: string;
  readonly port?: string;
  readonly username?: string;
  readonly dbname?: string;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--host <host>', describeSetting('host'))
    .option('-p, --port <port>', describeSetting('port'))
    .option('-U, --username <name>', describeSetting('user'))
    .option('-d, --dbname <name>', describeSetting('database'));
}

export function addWaitOption(command: Command): Command {
  return command.option('--wait <seconds>', 'wait so long for another run to end', wholeSeconds, 0);
}

export function addJobsOption(command: Command, what: string, cores: number): Command {
  const option = new Option('-j, --jobs <n>', what).argParser(jobCount);
  return command.addOption(option.default(cores, `the cores, ${cores}`));
}

/** The flags that are settings, under the settings' names. */
export function settingsFrom(flags: GlobalFlags & ConnectionFlags): Flags {
  const given = {
    host: flags.host,
    port: flags.port,
    user: flags.username,
    database: flags.dbname,
    backupDir: flags.backupDir,
    logFormat: flags.logFormat,
    logLevel: flags.verbose ? 'debug' : flags.quiet ? 'warn' : undefined,
  };
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * What says where this run works, and would not say so to another one: flags, and variables that can
 * have been given to this run alone (`DB_NAME=aifinance_test pratiko-backup restore`).
 */
export function repeatedOptions(
  { config, envFile, backupDir }: GlobalFlags,
  { host, port, user, database }: Flags,
  directory: string,
  environment: Context['environment'],
): Context['repeated'] {
  const { BACKUP_DIR, DB_NAME, POSTGRES_DB } = environment;
  const place = optionWords({
    '--config': config,
    '--env-file': envFile,
    '--backup-dir': backupDir ?? (BACKUP_DIR && directory),
  });
  const to = database ?? (DB_NAME || POSTGRES_DB);
  const connection = { '--host': host, '--port': port, '--username': user, '--to': to };
  return { directory: place, database: place + optionWords(connection) };
}

/** Options that are set, as a person can type them, with a space before each word: ` --to 'a b'`. */
const optionWords = (options: Readonly<Record<string, string | undefined>>) =>
  Object.entries(options)
    .map(([option, value]) => (value ? ` ${option} ${shellWord(value)}` : ''))
    .join('');

/** What an exit code means for a command, by the kind of failure; `done` is 0. */
export type ExitCodeMeanings = Readonly<
  { done: string } & Partial<Record<Exclude<FailureKind, 'unexpected'>, string>>
>;

/** Lines for the end of a help text. */
export function helpFooter(examples: readonly string[], meanings: ExitCodeMeanings): string {
  const block = (title: string, lines: readonly string[]) =>
    `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const codes: Readonly<Record<string, number>> = { done: 0, ...exitCodes };
  const lines = Object.entries(meanings)
    .map(([kind, meaning]) => ({ code: codes[kind] ?? 0, meaning }))
    .sort((a, b) => a.code - b.code)
    .map(({ code, meaning }) => `${String(code).padEnd(4)}${meaning}`);
  return block('Examples', examples) + block('Exit codes', lines);
}

function jobCount(text: string): number {
  const jobs = Number(text);
  if (/^\d{1,3}$/.test(text) && jobs >= 1 && jobs <= 64) return jobs;
  throw new InvalidArgumentError('give a whole number from 1 to 64.');
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('give whole seconds, like 60.');
  return Number(text);
}
