import { quoteLiteral } from '../../src/base/sql.ts';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject, onTestFinished } from 'vitest';
import { createDatabase, dropDatabase } from '../../src/postgres/databases.ts';
import { libpqEnvironment, maintenanceDatabase } from '../../src/postgres/connection.ts';
import { execute, type Server } from '../../src/postgres/psql.ts';
import { findTool } from '../../src/postgres/tools.ts';
import { run } from '../../src/base/subprocess.ts';

const environment = { PATH: process.env.PATH ?? '', LC_ALL: 'C' };
const signal = new AbortController().signal;
const search = { binDir: undefined, environment, signal };

/** The server that all tests share. */
export const server: Server = {
  psql: await findTool('psql', search),
  connection: inject('connection'),
  environment,
  signal,
};

const pgDump = await findTool('pg_dump', search);

/**
 * Creates a database of a name nobody else has, empty or like a template; it is dropped when the
 * test has finished.
 */
export async function temporaryDatabase(
  sql = '',
  prefix = 'test',
  template?: string,
): Promise<string> {
  const name = `${prefix}_${randomBytes(4).toString('hex')}`;
  if (template === undefined) await createDatabase(server, name, undefined);
  else await execute(server, maintenanceDatabase, `CREATE DATABASE ${name} TEMPLATE ${template};`);
  // With what restores have left of it.
  onTestFinished(() => dropLike(name));
  if (sql !== '') await execute(server, name, sql);
  return name;
}

/** Runs SQL in a database and gives what it selects, one line a row. */
export async function sql(database: string, statements: string): Promise<string> {
  return (await execute(server, database, statements)).trim();
}

/** The names of all databases that begin with a prefix. */
export async function databasesLike(prefix: string): Promise<string[]> {
  const list = await sql(
    maintenanceDatabase,
    `SELECT datname FROM pg_database WHERE starts_with(datname, ${quoteLiteral(prefix)}) ORDER BY 1;`,
  );
  return list.split('\n').filter(Boolean);
}

/** Drops all databases whose names begin with a prefix. */
export async function dropLike(prefix: string): Promise<void> {
  for (const name of await databasesLike(prefix)) {
    // Another test may just have filled a disk of the server, which keeps it from a checkpoint.
    await dropDatabase(server, name).catch(() =>
      sleep(2000).then(() => dropDatabase(server, name)),
    );
  }
}

/** For pg_dump and psql as a person calls them. */
export const clientEnvironment = (database: string): Record<string, string> =>
  libpqEnvironment(environment, server.connection, database);

/** Everything in a database as pg_dump writes it, without the random keys of `\restrict`. */
export async function dump(database: string, ...options: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await run(
    {
      file: pgDump.path,
      args: ['--format=plain', '--no-password', ...options],
      env: clientEnvironment(database),
    },
    signal,
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.replaceAll(/^\\(un)?restrict \w{20,}$/gm, '\\$1restrict KEY');
}
