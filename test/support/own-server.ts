import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from '../../src/postgres/sandbox.ts';
import { runTool, temporaryDirectory, type Run } from './cli.ts';

type Variables = Readonly<Record<string, string>>;

/** A server for tests that change it as a whole; whoever starts it disposes of it. */
export function startOwnServer(
  settings: Variables = {},
  tempDirectory = tmpdir(),
): Promise<Sandbox> {
  return startSandbox({
    tempDirectory,
    path: process.env.PATH ?? '',
    uid: process.getuid?.() ?? 0,
    user: 'aifinance',
    password: 'a password',
    settings,
    signal: new AbortController().signal,
  });
}

/** A server of somebody who has nothing but the files: its superuser is `postgres`. */
export const startFreshServer = (): Promise<Sandbox> =>
  startSandbox({
    tempDirectory: tmpdir(),
    path: process.env.PATH ?? '',
    uid: process.getuid?.() ?? 0,
    user: 'postgres',
    password: randomBytes(8).toString('hex'),
    signal: new AbortController().signal,
  });

/** The environment in which the tool finds such a server, and a backup directory of its own. */
export async function environmentFor(
  { server }: Sandbox,
  variables: Variables,
): Promise<Record<string, string> & { readonly BACKUP_DIR: string }> {
  const directory = join(await temporaryDirectory(), 'backups');
  await mkdir(directory);
  const { host, port, user, password } = server.connection;
  return {
    PATH: process.env.PATH ?? '',
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(port),
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    BACKUP_DIR: directory,
    ...variables,
  };
}

/** The tool, set to a server of one's own. */
export async function toolFor(
  own: Sandbox,
  variables: Variables,
): Promise<(args: readonly string[], more?: Variables) => Promise<Run>> {
  const env = await environmentFor(own, variables);
  return (args, more = {}) => runTool(args, { env: { ...env, ...more } });
}
