import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf, systemErrorCode } from '../base/errors.ts';
import { libpqVariables } from './libpq-variables.ts';
import type { SettingName } from './settings.ts';
import type { Given } from './sources.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What a service of libpq says (PostgreSQL manual, The Connection Service File). */
export interface Service {
  /** Settings of ours that it gives. */
  readonly given: Readonly<Partial<Record<SettingName, Given>>>;
  /** The rest, as the variables of libpq. */
  readonly libpq: Readonly<Record<string, string>>;
  /** What it says that has no effect, each a clause for people. */
  readonly ignored: readonly string[];
}

/** Debian and Ubuntu have it there; PGSYSCONFDIR names another directory. */
const systemDirectory = '/etc/postgresql-common';

/** Parameters that are settings of ours. */
const ours: Readonly<Record<string, SettingName>> = {
  host: 'host',
  port: 'port',
  dbname: 'database',
  user: 'user',
};

/**
 * Reads the service that PGSERVICE names. libpq would let it come before every variable: a restore could hit
 * another database than the one that was said. So we read it, and what is set elsewhere comes first.
 * @throws Failure `usage` where it is not defined, or its file cannot be read.
 */
export function readService(environment: Variables): Service {
  const name = environment.PGSERVICE;
  if (name === undefined || name === '') return { given: {}, libpq: {}, ignored: [] };
  const files = [
    environment.PGSERVICEFILE || join(environment.HOME ?? '/', '.pg_service.conf'),
    join(environment.PGSYSCONFDIR || systemDirectory, 'pg_service.conf'),
  ];
  for (const file of files) {
    const parameters = parametersOf(readFile(file), name);
    if (parameters !== undefined) return serviceOf(parameters, name, file);
  }
  throw new Failure(
    'usage',
    `service "${name}" (PGSERVICE) is not defined in ${files.join(' or ')}`,
    {
      hint: 'write it there: [NAME], and below it lines like host=db.example.com; PGSERVICEFILE names another file',
    },
  );
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return '';
    throw new Failure('usage', `cannot read the services in ${file}: ${messageOf(error)}`, {
      hint: 'check the permissions of the file, or unset PGSERVICE',
      cause: error,
    });
  }
}

/** @returns undefined where the service is not in the text. */
function parametersOf(text: string, name: string): Map<string, string> | undefined {
  let parameters: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (parameters !== undefined) return parameters; // the first of that name counts
      if (line.startsWith(`[${name}]`)) parameters = new Map();
    } else if (parameters !== undefined) {
      const [, key, value = ''] = /^([a-z_]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined) {
        throw new Failure('usage', `service "${name}" has a line that is not NAME=value`, {
          hint: 'correct it; what is looked up in LDAP is not read here: set POSTGRES_HOST and the others instead',
        });
      }
      if (!parameters.has(key)) parameters.set(key, value); // as libpq: the first counts
    }
  }
  return parameters;
}

function serviceOf(parameters: ReadonlyMap<string, string>, name: string, file: string): Service {
  const given: Partial<Record<SettingName, Given>> = {};
  const libpq: Record<string, string> = {};
  const ignored: string[] = [];
  for (const [key, value] of parameters) {
    const setting = ours[key];
    const source = `${key} of service "${name}" in ${file}`;
    const variable = variables[key] ?? `PG${key.replaceAll('_', '').toUpperCase()}`;
    if (setting !== undefined) given[setting] = { value, source };
    else if (key === 'hostaddr') throw withAddress(source);
    else if (libpqVariables.has(variable)) libpq[variable] = value;
    else ignored.push(`${source} is not passed on: libpq has no variable for it`);
  }
  // Who names a server by a service means PostgreSQL's own port.
  if (given.host !== undefined && given.port === undefined) {
    given.port = { value: '5432', source: `the default of service "${name}"` };
  }
  return { given, libpq, ignored };
}

const withAddress = (source: string) =>
  new Failure('usage', `${source} is not used here`, {
    hint: 'give the address as host, or a name that leads to it',
  });

/** Those that are not called as their parameter. */
const variables: Readonly<Record<string, string>> = {
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
};
