import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'dotenv';
import { z } from 'zod';
import { Failure, messageOf, systemErrorCode } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { misspellingOf } from './misspelled.ts';
import { passwordFor } from './passfile.ts';

/** How to reach the database. All of it goes to libpq through the environment, never through argv. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Config {
  readonly connection: Connection;
  /** Where the database's name came from, for people: `DB_NAME in the environment`. */
  readonly databaseSource: string;
  /** Absolute path. */
  readonly backupDir: string;
  /** It was not chosen by anyone. */
  readonly backupDirIsDefault: boolean;
  readonly retention: { readonly days: number; readonly keepMin: number };
  readonly backupTimeoutSeconds: number | undefined;
  readonly lockWaitTimeoutSeconds: number;
  readonly slack: { readonly url: string; readonly notify: 'always' | 'failure' } | undefined;
  readonly pgBinDir: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'pretty' | 'json';
  /** libpq's own variables (`PGSSLMODE`, …) that stand in the settings file. */
  readonly libpq: Readonly<Record<string, string>>;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case, from the environment or the settings file. */
  readonly proxies: Readonly<Record<string, string | undefined>>;
  /** What is set and has no effect, for people: names that are no setting, what another one overrules. */
  readonly ignored: readonly string[];
}

/** What the settings are read from. */
export interface Sources {
  /** Given on the command line, by the name of the setting. */
  readonly flags: Flags;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--config`; without it the project's `.env` is read if there is one. */
  readonly envFile?: string | undefined;
  readonly projectRoot: string;
  readonly cwd: string;
}

const integer = (from: number, to: number) =>
  z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to, {
      error: `a whole number from ${from} to ${to}`,
    })
    .transform(Number);

const identifier = z.string().refine((text) => text !== '' && Buffer.byteLength(text) <= 63, {
  error: 'a name of 1 to 63 bytes',
});

const path = z.string().refine((text) => text !== '' && !text.startsWith('~'), {
  error: 'a path with the home directory written out: ~ is not expanded',
});

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });

/** Every setting as text in, value out, with its default; an error says what is accepted. */
const schema = z.object({
  host: z.string().min(1, { error: 'a name or address' }).prefault('localhost'),
  port: integer(1, 65535).prefault('5433'),
  database: identifier.prefault('aifinance'),
  user: identifier.prefault('aifinance'),
  password: z.string().prefault('devpass'),
  backupDir: path.prefault('backups'),
  retentionDays: integer(1, 36_500).prefault('7'),
  retentionKeepMin: integer(1, 36_500).prefault('3'),
  backupTimeout: integer(1, 2_000_000).optional(),
  lockWaitTimeout: integer(1, 2_000_000).prefault('300'),
  slackWebhookUrl: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional(),
  slackNotify: oneOf(['always', 'failure']).prefault('always'),
  pgBinDir: path.optional(),
  logLevel: oneOf(['debug', 'info', 'warn', 'error']).prefault('info'),
  logFormat: oneOf(['pretty', 'json']).prefault('pretty'),
});

type SettingName = keyof typeof schema.shape;

/** Settings given on the command line. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

/** The variables of each setting: within one source the first that is set wins. */
const variables: Record<SettingName, readonly string[]> = {
  host: ['DB_HOST', 'POSTGRES_HOST'],
  port: ['DB_PORT', 'POSTGRES_PORT'],
  database: ['DB_NAME', 'POSTGRES_DB'],
  user: ['DB_USER', 'POSTGRES_USER'],
  password: ['DB_PASSWORD', 'POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE'],
  backupDir: ['BACKUP_DIR'],
  retentionDays: ['RETENTION_DAYS'],
  retentionKeepMin: ['RETENTION_KEEP_MIN'],
  backupTimeout: ['BACKUP_TIMEOUT'],
  lockWaitTimeout: ['LOCK_WAIT_TIMEOUT'],
  slackWebhookUrl: ['SLACK_WEBHOOK_URL'],
  slackNotify: ['SLACK_NOTIFY'],
  pgBinDir: ['PG_BIN_DIR'],
  logLevel: ['LOG_LEVEL'],
  logFormat: ['LOG_FORMAT'],
};

/** How a setting is called on the command line, where it can be given there. */
const flagNames: Partial<Record<SettingName, string>> = {
  host: '--host',
  port: '--port',
  database: '--dbname or --to',
  user: '--username',
  backupDir: '--backup-dir',
  retentionDays: '--retention-days',
  retentionKeepMin: '--keep-min',
};

const secrets: ReadonlySet<string> = new Set<SettingName>(['password', 'slackWebhookUrl']);

interface Given {
  readonly value: string;
  /** For people: `DB_NAME in the environment`, `the command line`. */
  readonly source: string;
}

/**
 * Reads every setting by precedence (flag, environment, `.env`, default) and checks it.
 * @throws Failure `usage` that lists every wrong value at once; secrets are named, never shown.
 */
export function loadConfig(sources: Sources): Config {
  const file = readEnvFile(sources);
  const given: Partial<Record<SettingName, Given>> = {};
  for (const name of Object.keys(variables) as SettingName[]) {
    const found = find(name, sources, file);
    if (found !== undefined) given[name] = found;
  }
  const libpq = libpqVariables(file.values);
  const checked = schema.safeParse(
    Object.fromEntries(Object.entries(given).map(([name, { value }]) => [name, value])),
  );
  if (!checked.success) {
    const problems = checked.error.issues.map((issue) => {
      const name = String(issue.path[0]) as SettingName;
      const shown = secrets.has(name) ? 'is not valid' : `is ${JSON.stringify(given[name]?.value)}`;
      return `${given[name]?.source ?? name} ${shown}, it must be ${issue.message}`;
    });
    throw new Failure('usage', problems.join('; '), {
      hint: 'correct the setting where it is set; the README lists every setting',
    });
  }
  const settings = checked.data;
  return {
    connection: {
      host: settings.host,
      port: settings.port,
      user: settings.user,
      password:
        given.password === undefined
          ? (passwordFor(settings, { ...libpq, ...sources.environment }) ?? settings.password)
          : settings.password,
      database: settings.database,
    },
    databaseSource: given.database?.source ?? 'the default',
    backupDir: resolve(
      sources.flags.backupDir === undefined ? sources.projectRoot : sources.cwd,
      settings.backupDir,
    ),
    backupDirIsDefault: given.backupDir === undefined,
    retention: { days: settings.retentionDays, keepMin: settings.retentionKeepMin },
    backupTimeoutSeconds: settings.backupTimeout,
    lockWaitTimeoutSeconds: settings.lockWaitTimeout,
    slack:
      settings.slackWebhookUrl === undefined
        ? undefined
        : { url: settings.slackWebhookUrl, notify: settings.slackNotify },
    pgBinDir: settings.pgBinDir && resolve(sources.projectRoot, settings.pgBinDir),
    logLevel: settings.logLevel,
    logFormat: settings.logFormat,
    libpq,
    proxies: Object.fromEntries(
      Object.entries({ ...file.values, ...sources.environment }).filter(([name]) =>
        /^(?:https?|no)_proxy$/i.test(name),
      ),
    ),
    ignored: [
      ...overruledSecretFiles(given, sources, file),
      ...Object.keys(file.values).flatMap((name) => misspellingOf(name, file.label, ours) ?? []),
    ],
  };
}

/** An empty variable counts as unset. An empty flag does not: `--to "$UNSET"` must not hit the default. */
function find(
  name: SettingName,
  sources: Sources,
  file: { readonly label: string; readonly values: Readonly<Record<string, string>> },
): Given | undefined {
  const flag = sources.flags[name];
  if (flag !== undefined)
    return { value: flag, source: `${flagNames[name] ?? name} on the command line` };
  for (const { label, values } of [
    { label: 'in the environment', values: sources.environment },
    { label: `in ${file.label}`, values: file.values },
  ]) {
    for (const variable of variables[name]) {
      const value = values[variable];
      if (!value) continue;
      const source = `${variable} ${label}`;
      if (!variable.endsWith('_FILE')) return { value, source };
      return { value: readSecretFile(resolve(sources.projectRoot, value), source), source };
    }
  }
  return undefined;
}

function readEnvFile(sources: Sources): { label: string; values: Record<string, string> } {
  const file =
    sources.envFile === undefined
      ? join(sources.projectRoot, '.env')
      : resolve(sources.cwd, sources.envFile);
  const label = sources.envFile ?? '.env';
  try {
    return { label, values: parse(readFileSync(file)) };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && sources.envFile === undefined) {
      return { label, values: {} };
    }
    throw new Failure('usage', `cannot read the settings in ${file}: ${messageOf(error)}`, {
      hint: `${sources.envFile === undefined ? 'let this user read it' : 'check the path given with --config and the permissions of the file'} (\`ls -l ${shellWord(file)}\`)`,
      cause: error,
    });
  }
}

/** A file with a secret that is not read, for the secret itself is given. */
function overruledSecretFiles(
  given: Partial<Record<SettingName, Given>>,
  { environment }: Sources,
  file: { readonly label: string; readonly values: Readonly<Record<string, string>> },
): string[] {
  return (Object.keys(given) as SettingName[]).flatMap((name) =>
    variables[name]
      .filter((variable) => variable.endsWith('_FILE'))
      .filter((variable) => Boolean(environment[variable] ?? file.values[variable]))
      .filter((variable) => given[name]?.source.startsWith(variable) === false)
      .map((variable) => `${variable} is not read: ${given[name]?.source ?? ''} comes before it`),
  );
}

const libpqVariables = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => /^PG[A-Z]/.test(name) && value !== '' && !ours.has(name),
    ),
  );

/** Names of all variables that are settings. */
const ours: ReadonlySet<string> = new Set(Object.values(variables).flat());

/** Docker secrets end in a line break that is not part of the password. */
function readSecretFile(file: string, source: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Failure('usage', `cannot read the file that ${source} names: ${messageOf(error)}`, {
      hint: 'check the path and the permissions of the file',
      cause: error,
    });
  }
}
