import { resolve } from 'node:path';
import { readService, type Service } from './service.ts';
import { allVariables } from './settings.ts';
import type { EnvFile, Sources } from './sources.ts';

/** Those that name a file or a directory. */
const paths = new Set([
  ...['PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGSSLCRL', 'PGSSLCRLDIR'],
  ...['PGPASSFILE', 'PGSERVICEFILE', 'PGSYSCONFDIR'],
]);

/** libpq knows this one by itself. */
const isWord = (value: string) => value === 'system';

/**
 * What is said for libpq (PostgreSQL manual, Environment Variables) in the settings file, and by the service that
 * PGSERVICE names. A relative path in the settings file starts at the project.
 * @throws Failure `usage` for a service that is not defined.
 */
export function libpqSettings({ environment, projectRoot }: Sources, file: EnvFile): Service {
  const ours = new Set(allVariables());
  const own = Object.entries(file.values)
    .filter(([name, value]) => /^PG[A-Z]/.test(name) && value !== '' && !ours.has(name))
    .map(([name, value]) => [
      name,
      paths.has(name) && !isWord(value) ? resolve(projectRoot, value) : value,
    ]);
  const fromFile = Object.fromEntries(own) as Record<string, string>;
  const set = Object.entries(environment).filter(([, value]) => value !== '');
  const service = readService({ ...fromFile, ...Object.fromEntries(set) });
  return { given: service.given, libpq: { ...service.libpq, ...fromFile } };
}
