import type { Sandbox } from '../../src/postgres/sandbox.ts';
import { runTool, type Run } from '../support/cli.ts';
import { clientDirectory } from './versions.ts';

/** The tool with the client of a version, set to a server: called with the database, then the words. */
export function toolFor(
  { server: { connection } }: Sandbox,
  client: number,
  backupDir: string,
  variables: Readonly<Record<string, string>> = {},
): (database: string, ...args: string[]) => Promise<Run> {
  const env = {
    PATH: process.env.PATH ?? '',
    PG_BIN_DIR: clientDirectory(client),
    POSTGRES_HOST: connection.host,
    POSTGRES_PORT: String(connection.port),
    POSTGRES_USER: connection.user,
    POSTGRES_PASSWORD: connection.password,
    BACKUP_DIR: backupDir,
    ...variables,
  };
  return (database, ...args) => runTool(args, { env: { ...env, POSTGRES_DB: database } });
}
