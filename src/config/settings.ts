import type { z } from 'zod';
import { offsiteSettings } from './offsite-settings.ts';
import { fileVariablesOf, variableOf, type Setting } from './setting.ts';
import {
  command,
  identifier,
  integer,
  keyFile,
  patterns,
  recipient,
  webUrl,
  oneOf,
  path,
} from './values.ts';

/** Every setting there is. What is read, hidden, documented and listed in help texts comes from here. */
export const settings = {
  host: {
    variables: ['DB_HOST', 'POSTGRES_HOST'],
    flags: ['--host'],
    schema: (zod) => zod.string().min(1, { error: 'a name or address' }),
    default: 'localhost',
    help: 'server',
  },
  port: {
    variables: ['DB_PORT', 'POSTGRES_PORT'],
    flags: ['-p', '--port'],
    schema: integer(1, 65535),
    default: '5433',
    help: 'port',
  },
  database: {
    variables: ['DB_NAME', 'POSTGRES_DB'],
    flags: ['-d', '--to', '--dbname'],
    schema: identifier,
    default: 'aifinance',
    help: 'database',
  },
  user: {
    variables: ['DB_USER', 'POSTGRES_USER'],
    flags: ['-U', '--username'],
    schema: identifier,
    default: 'aifinance',
    help: 'user',
  },
  password: {
    variables: ['DB_PASSWORD', 'POSTGRES_PASSWORD'],
    isSecret: true,
    schema: (zod) => zod.string(),
    default: 'devpass',
    help: 'its password; without it `PGPASSWORD` or `~/.pgpass` (`PGPASSFILE`)',
  },
  backupDir: {
    variables: ['BACKUP_DIR'],
    flags: ['--backup-dir'],
    schema: path,
    default: './backups',
    help: 'where backups are; a relative path starts at the project (in the flag: where you are)',
  },
  retentionDays: {
    variables: ['RETENTION_DAYS'],
    flags: ['--retention-days'],
    schema: integer(1, 36_500),
    default: '7',
    help: 'calendar days to keep',
  },
  retentionKeepMin: {
    variables: ['RETENTION_KEEP_MIN'],
    flags: ['--keep-min'],
    schema: integer(1, 36_500),
    default: '3',
    help: 'good backups that always remain',
  },
  retentionWeeks: {
    variables: ['RETENTION_WEEKS'],
    schema: integer(0, 5200),
    default: '0',
    help: 'weeks of which the newest good backup is kept, beyond the days',
  },
  retentionMonths: {
    variables: ['RETENTION_MONTHS'],
    schema: integer(0, 1200),
    default: '0',
    help: 'months, the same',
  },
  retentionYears: {
    variables: ['RETENTION_YEARS'],
    schema: integer(0, 100),
    default: '0',
    help: 'years, the same',
  },
  suspiciousDrop: {
    variables: ['SUSPICIOUS_DROP'],
    schema: integer(1, 99),
    default: '50',
    help: 'percent of rows or bytes: what has lost more is suspicious',
  },
  backupDrill: {
    variables: ['BACKUP_DRILL'],
    schema: oneOf(['never', 'always']),
    default: 'never',
    help: '`always`: each new backup is restored and compared',
  },
  backupGlobals: {
    variables: ['BACKUP_GLOBALS'],
    schema: oneOf(['false', 'true']),
    default: 'false',
    help: '`true`: the roles of the server are stored beside each backup',
  },
  excludeTableData: {
    variables: ['BACKUP_EXCLUDE_TABLE_DATA'],
    schema: patterns,
    help: 'tables whose rows are left out, as patterns of pg_dump; several, separated by spaces',
  },
  ageRecipient: {
    variables: ['BACKUP_AGE_RECIPIENT'],
    schema: recipient,
    help: 'public keys of age, or a file of them: new backups are encrypted to them',
  },
  ageIdentityFile: {
    variables: ['BACKUP_AGE_IDENTITY_FILE'],
    schema: keyFile,
    help: 'the file with the private keys of age that open backups',
  },
  gpgRecipient: {
    variables: ['BACKUP_GPG_RECIPIENT'],
    schema: recipient,
    help: 'a key of GnuPG (fingerprint, address): new backups are encrypted to it',
  },
  ...offsiteSettings,
  beforeBackup: {
    variables: ['BEFORE_BACKUP'],
    schema: command,
    help: 'a command before each dump: where it fails, there is no backup',
  },
  afterBackup: {
    variables: ['AFTER_BACKUP'],
    schema: command,
    help: 'a command when a backup is made: `PRATIKO_BACKUP` is its path',
  },
  backupTimeout: {
    variables: ['BACKUP_TIMEOUT'],
    schema: integer(1, 2_000_000),
    help: 'seconds that a backup may take',
  },
  lockWaitTimeout: {
    variables: ['LOCK_WAIT_TIMEOUT'],
    schema: integer(1, 2_000_000),
    default: '300',
    help: 'seconds that pg_dump waits for a locked table',
  },
  slackWebhookUrl: {
    variables: ['SLACK_WEBHOOK_URL'],
    isSecret: true,
    schema: webUrl,
    help: 'Slack incoming webhook',
  },
  slackNotify: {
    variables: ['SLACK_NOTIFY'],
    schema: oneOf(['always', 'failure']),
    default: 'always',
    help: 'what Slack is told of: `always` all, or each `failure`',
  },
  heartbeatUrl: {
    variables: ['HEARTBEAT_URL'],
    isSecret: true,
    schema: webUrl,
    help: 'is told when a backup begins, and how it ended: healthchecks.io, Uptime Kuma, Cronitor',
  },
  webhookUrl: {
    variables: ['WEBHOOK_URL'],
    isSecret: true,
    schema: webUrl,
    help: 'gets each outcome as JSON',
  },
  pgBinDir: {
    variables: ['PG_BIN_DIR'],
    schema: path,
    help: 'where pg_dump and psql are; else the newest on `PATH` and in the usual places',
  },
  postgresExec: {
    variables: ['POSTGRES_EXEC'],
    schema: command,
    help: 'a command put before pg_dump and psql: `docker compose exec -T db`, `ssh dbhost`',
  },
  logLevel: {
    variables: ['LOG_LEVEL'],
    flags: ['-v', '-q'],
    schema: oneOf(['debug', 'info', 'warn', 'error']),
    default: 'info',
    help: 'what is logged: `debug`, `info`, `warn`, `error`',
  },
  logFormat: {
    variables: ['LOG_FORMAT'],
    flags: ['--log-format'],
    schema: oneOf(['pretty', 'json']),
    default: 'pretty',
    help: 'how events are written to stderr: `pretty` or `json`',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

type ValueOf<S extends Setting> =
  z.output<ReturnType<S['schema']>> | (S extends { default: string } ? never : undefined);

/** The value of each setting. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof settings)[Name]> };

/** Every variable that is a setting, or names the file of one. */
export const allVariables = (): string[] =>
  Object.values<Setting>(settings).flatMap((setting) => [
    ...setting.variables,
    ...fileVariablesOf(setting),
  ]);

/** A description for a help text: `port (POSTGRES_PORT)`. */
export const describeSetting = (name: SettingName): string =>
  `${(settings[name] as Setting).help.split(/[;:]/)[0] ?? ''} (${variableOf(settings[name])})`;
