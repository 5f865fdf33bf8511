import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'dotenv';
import { Failure, messageOf, systemErrorCode } from '../base/errors.ts';
import { shellWord } from '../base/format.ts';
import { fileVariablesOf, type Setting } from './setting.ts';
import { settings, type SettingName } from './settings.ts';

/** Settings given on the command line. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>;

/** What the settings are read from. */
export interface Sources {
  readonly flags: Flags;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--config`; without it the project's `.env` is read if there is one. */
  readonly envFile?: string | undefined;
  readonly projectRoot: string;
  readonly cwd: string;
}

/** The settings file, which need not exist. */
export interface EnvFile {
  /** For people. */
  readonly label: string;
  /** Absolute. */
  readonly path: string;
  /** As it stands there; undefined where there is none. */
  readonly text: string | undefined;
  readonly values: Readonly<Record<string, string>>;
}

export interface Given {
  readonly value: string;
  /** For people: `DB_NAME in the environment`, `--port on the command line`. */
  readonly source: string;
}

/** @throws Failure `usage` for a file that was asked for and is not there, or cannot be read. */
export function readEnvFile({ envFile, projectRoot, cwd }: Sources): EnvFile {
  const file = envFile === undefined ? join(projectRoot, '.env') : resolve(cwd, envFile);
  const label = envFile ?? '.env';
  try {
    const text = readFileSync(file, 'utf8');
    return { label, path: file, text, values: parse(text) };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && envFile === undefined) {
      return { label, path: file, text: undefined, values: {} };
    }
    throw new Failure('usage', `cannot read the settings in ${file}: ${messageOf(error)}`, {
      hint: `${envFile === undefined ? 'let this user read it' : 'check the path given with --config and the permissions of the file'} (\`ls -l ${shellWord(file)}\`)`,
      cause: error,
    });
  }
}

/**
 * Finds a setting where it comes first: flag, environment, settings file. An empty variable counts as
 * unset. An empty flag does not: `--to "$UNSET"` must not hit the default.
 * @throws Failure `usage` where the file with a secret cannot be read.
 */
export function findSetting(name: SettingName, sources: Sources, file: EnvFile): Given | undefined {
  const setting: Setting = settings[name];
  const flag = sources.flags[name];
  if (flag !== undefined)
    return { value: flag, source: `${longFlags(setting)} on the command line` };
  for (const { label, values } of [
    { label: 'in the environment', values: sources.environment },
    { label: `in ${file.label}`, values: file.values },
  ]) {
    const variable = setting.variables.find((each) => values[each]);
    if (variable !== undefined) {
      return { value: values[variable] ?? '', source: `${variable} ${label}` };
    }
    const inFile = fileVariablesOf(setting).find((each) => values[each]);
    if (inFile !== undefined) {
      const source = `${inFile} ${label}`;
      const path = resolve(sources.projectRoot, values[inFile] ?? '');
      return { value: readSecretFile(path, source), source };
    }
  }
  return undefined;
}

/** Files with secrets that are not read, for the secret itself is given; each a clause for people. */
export function overruledSecretFiles(
  given: Readonly<Partial<Record<SettingName, Given>>>,
  { environment }: Sources,
  file: EnvFile,
): string[] {
  return (Object.keys(given) as SettingName[]).flatMap((name) =>
    fileVariablesOf(settings[name])
      .filter((variable) => Boolean(environment[variable] ?? file.values[variable]))
      .filter((variable) => given[name]?.source.startsWith(variable) === false)
      .map((variable) => `${variable} is not read: ${given[name]?.source ?? ''} comes before it`),
  );
}

const longFlags = ({ flags = [] }: Setting) =>
  flags
    .filter((flag) => flag.startsWith('--'))
    .toReversed()
    .join(' or ');

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
