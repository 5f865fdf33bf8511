import { resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../base/errors.ts';
import { connectionOf, type Connection } from './connection.ts';
import { misspellingOf } from './misspelled.ts';
import type { Setting } from './setting.ts';
import { allVariables, settings, type SettingName, type Settings } from './settings.ts';
import {
  findSetting,
  overruledSecretFiles,
  readEnvFile,
  type EnvFile,
  type Given,
  type Sources,
} from './sources.ts';
import { libpqSettings } from './libpq.ts';
import { mayBeSecret } from './values.ts';

export interface Config {
  readonly connection: Connection;
  /** Where the database's name came from, for people: `DB_NAME in the environment`. */
  readonly databaseSource: string;
  /** Absolute path. */
  readonly backupDir: string;
  /** It was not chosen by anyone. */
  readonly backupDirIsDefault: boolean;
  readonly retention: {
    readonly days: number;
    readonly keepMin: number;
    readonly weeks: number;
    readonly months: number;
    readonly years: number;
    /** Percent: what a newer backup has lost more of is held. */
    readonly suspiciousDrop: number;
  };
  /** Each new backup is restored and compared. */
  readonly backupDrill: boolean;
  /** Patterns of tables whose rows are left out of backups. */
  readonly excludeTableData: readonly string[];
  /** The roles of the server are stored beside each backup. */
  readonly backupGlobals: boolean;
  /** With what new backups are encrypted, and those that are opened. */
  readonly keys: {
    readonly ageRecipient: string | undefined;
    readonly gpgRecipient: string | undefined;
    /** Absolute path. */
    readonly ageIdentityFile: string | undefined;
    /** A relative path in a setting starts at the project. */
    readonly resolvePath: (path: string) => string;
  };
  /** Where copies go. */
  readonly offsite: {
    readonly urls: readonly string[];
    readonly timeoutSeconds: number | undefined;
    /** What is removed there; as `retention`. */
    readonly retention: Config['retention'];
    /** Copies are removed at all. */
    readonly prune: boolean;
  };
  /** The words of BEFORE_BACKUP and AFTER_BACKUP. */
  readonly beforeBackup: Settings['beforeBackup'];
  readonly afterBackup: Settings['afterBackup'];
  readonly backupTimeoutSeconds: number | undefined;
  readonly lockWaitTimeoutSeconds: number;
  readonly slack: { readonly url: string; readonly notify: Settings['slackNotify'] } | undefined;
  /** What watches for missing backups. */
  readonly heartbeatUrl: string | undefined;
  /** What gets every outcome as JSON. */
  readonly webhookUrl: string | undefined;
  readonly pgBinDir: string | undefined;
  readonly logLevel: Settings['logLevel'];
  readonly logFormat: Settings['logFormat'];
  /** What is said for libpq (`PGSSLMODE`, …): in the environment, the settings file, or by a service. */
  readonly libpq: Readonly<Record<string, string>>;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case, from the environment or the settings file. */
  readonly proxies: Readonly<Record<string, string | undefined>>;
  /** Our variables that are set in the environment: a run that cron starts has none of them. */
  readonly fromEnvironment: readonly string[];
  /** The settings file. */
  readonly settingsFile: EnvFile;
  /** Absolute: where commands of the team are run. */
  readonly projectRoot: string;
  /** What is set and has no effect, for people: names that are no setting, what another one overrules. */
  readonly ignored: readonly string[];
}

/**
 * Reads every setting by precedence (flag, environment, `.env`, default) and checks it.
 * @throws Failure `usage` that lists every wrong value at once; secrets are named, never shown.
 */
export function loadConfig(sources: Sources): Config {
  const file = readEnvFile(sources);
  const names = Object.keys(settings) as SettingName[];
  const given: Partial<Record<SettingName, Given>> = {};
  for (const name of names) {
    const found = findSetting(name, sources, file);
    if (found !== undefined) given[name] = found;
  }
  const service = libpqSettings(sources, file, given.postgresExec !== undefined);
  const { libpq } = service;
  const found = { ...service.given, ...given };
  const values = check(found);
  const ours = new Set(allVariables());
  const fromProject = (path: string) => resolve(sources.projectRoot, path);
  return {
    connection: connectionOf(values, found, { ...sources.environment, ...libpq }),
    databaseSource: found.database?.source ?? 'the default',
    backupDir: resolve(
      sources.flags.backupDir === undefined ? sources.projectRoot : sources.cwd,
      values.backupDir,
    ),
    backupDirIsDefault: given.backupDir === undefined,
    retention: {
      days: values.retentionDays,
      keepMin: values.retentionKeepMin,
      weeks: values.retentionWeeks,
      months: values.retentionMonths,
      years: values.retentionYears,
      suspiciousDrop: values.suspiciousDrop,
    },
    backupDrill: values.backupDrill === 'always',
    excludeTableData: values.excludeTableData ?? [],
    backupGlobals: values.backupGlobals === 'true',
    keys: {
      ageRecipient: values.ageRecipient,
      gpgRecipient: values.gpgRecipient,
      ageIdentityFile: values.ageIdentityFile && fromProject(values.ageIdentityFile),
      resolvePath: fromProject,
    },
    offsite: {
      urls: values.offsiteUrl ?? [],
      timeoutSeconds: values.offsiteTimeout,
      retention: {
        days: values.offsiteRetentionDays ?? values.retentionDays,
        keepMin: values.offsiteRetentionKeepMin ?? values.retentionKeepMin,
        weeks: values.offsiteRetentionWeeks ?? values.retentionWeeks,
        months: values.offsiteRetentionMonths ?? values.retentionMonths,
        years: values.offsiteRetentionYears ?? values.retentionYears,
        suspiciousDrop: values.suspiciousDrop,
      },
      prune: values.offsitePrune === 'always',
    },
    beforeBackup: values.beforeBackup,
    afterBackup: values.afterBackup,
    backupTimeoutSeconds: values.backupTimeout,
    lockWaitTimeoutSeconds: values.lockWaitTimeout,
    slack:
      values.slackWebhookUrl === undefined
        ? undefined
        : { url: values.slackWebhookUrl, notify: values.slackNotify },
    heartbeatUrl: values.heartbeatUrl,
    webhookUrl: values.webhookUrl,
    // Behind POSTGRES_EXEC it is a directory there.
    pgBinDir:
      values.pgBinDir &&
      (values.postgresExec === undefined ? fromProject(values.pgBinDir) : values.pgBinDir),
    logLevel: values.logLevel,
    logFormat: values.logFormat,
    libpq,
    proxies: Object.fromEntries(
      Object.entries({ ...file.values, ...sources.environment }).filter(([name]) =>
        /^(?:https?|no)_proxy$/i.test(name),
      ),
    ),
    settingsFile: file,
    projectRoot: sources.projectRoot,
    fromEnvironment: [...ours].filter((name) => (sources.environment[name] ?? '') !== ''),
    ignored: [
      ...service.ignored,
      ...overruledService(service.given, given),
      ...overruledSecretFiles(given, sources, file),
      ...Object.keys(file.values).flatMap((name) => misspellingOf(name, file.label, ours) ?? []),
    ],
  };
}

/** What a service says in vain, each a clause for people. */
const overruledService = (
  service: Readonly<Partial<Record<SettingName, Given>>>,
  given: Readonly<Partial<Record<SettingName, Given>>>,
): string[] =>
  Object.entries(service).flatMap(([name, { source }]) => {
    const first = given[name as SettingName]?.source;
    const isSaid = first !== undefined && !source.startsWith('the default');
    return isSaid ? [`${source} is not used: ${first} comes before it`] : [];
  });

/** @throws Failure `usage` */
function check(given: Readonly<Partial<Record<SettingName, Given>>>): Settings {
  const problems: string[] = [];
  const values = Object.entries<Setting>(settings).map(([name, setting]) => {
    const { value = setting.default, source = name } = given[name as SettingName] ?? {};
    if (value === undefined) return [name, undefined];
    const checked = setting.schema(z).safeParse(value);
    if (checked.success) return [name, checked.data];
    const shown =
      setting.isSecret || mayBeSecret(value) ? 'is not valid' : `is ${JSON.stringify(value)}`;
    const accepted = checked.error.issues.map(({ message }) => message).join(', ');
    problems.push(`${source} ${shown}, it must be ${accepted}`);
    return [name, undefined];
  });
  if (problems.length === 0) return Object.fromEntries(values) as Settings;
  throw new Failure('usage', problems.join('; '), {
    hint: 'correct the setting where it is set; the README lists every setting',
  });
}
