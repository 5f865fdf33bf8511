import { resolve } from 'node:path';
import { libpqPaths, libpqVariables } from './libpq-variables.ts';
import { readService, type Service } from './service.ts';
import type { EnvFile, Sources } from './sources.ts';

/** libpq knows this one by itself, in the place of a path. */
const isWord = (value: string) => value === 'system';

/**
 * What is said for libpq (PostgreSQL manual, Environment Variables): in the environment, else in the settings file,
 * else by the service that PGSERVICE names. An empty variable counts as unset.
 * @param isElsewhere libpq is behind POSTGRES_EXEC: paths are those there. Else a relative one in the settings file
 *   starts at the project.
 * @throws Failure `usage` for a service that is not defined.
 */
export function libpqSettings(
  { environment, projectRoot }: Sources,
  file: EnvFile,
  isElsewhere: boolean,
): Service {
  const ofFile = libpqOf(file.values).map(([name, value]): [string, string] => {
    const isPath = libpqPaths.has(name) && !isWord(value) && !isElsewhere;
    return [name, isPath ? resolve(projectRoot, value) : value];
  });
  const set = { ...Object.fromEntries(ofFile), ...Object.fromEntries(libpqOf(environment)) };
  const { HOME } = environment;
  const service = readService({ ...set, ...(HOME !== undefined && { HOME }) });
  return { ...service, libpq: { ...service.libpq, ...set } };
}

const libpqOf = (values: Readonly<Record<string, string | undefined>>): [string, string][] =>
  Object.entries(values).filter(
    (entry): entry is [string, string] => libpqVariables.has(entry[0]) && Boolean(entry[1]),
  );
