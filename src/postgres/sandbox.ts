import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpConnection } from '../config/connection.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { run, start, type Child, type CommandLine } from '../base/subprocess.ts';
import { lastLine } from './connection-failure.ts';
import { maintenanceDatabase } from './connection.ts';
import { serverVersion } from './databases.ts';
import type { Server } from './psql.ts';
import { sandboxPrefix } from './sandbox-leftovers.ts';
import { findTool } from './tools.ts';

export interface SandboxOptions {
  /** Where the cluster's own temporary directory is made. */
  readonly tempDirectory: string;
  /** PATH matters, and libpq's variables do not. */
  readonly path: string;
  /** The user id of whoever runs this: the server refuses to run as root, and then runs as `postgres`. */
  readonly uid: number;
  readonly user: string;
  readonly password: string;
  /** The process that disposes of it: when that was killed, `removeSandboxLeftovers` does. */
  readonly owner?: number;
  /** Its major version; without it, the newest there is. */
  readonly major?: number;
  /** More of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A throw-away PostgreSQL cluster on a free port of 127.0.0.1; disposing stops and removes it. */
export interface Sandbox extends AsyncDisposable {
  readonly server: Server & { readonly connection: TcpConnection };
  readonly version: string;
}

const attempts = 3;

/** Starts a throw-away cluster. Its data is not synced to the disk: it is fast and worth nothing. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const environment = { PATH: options.path, LC_ALL: 'C' };
  const search = { binDir: undefined, environment, signal: options.signal };
  const ofServer = options.major === undefined ? search : { ...search, major: options.major };
  const initdb = await findTool('initdb', ofServer);
  const postgres = await findTool('postgres', ofServer);
  const psql = await findTool('psql', search);
  const user = options.uid === 0 ? await serverUser(environment, options.signal) : undefined;
  const directory = await mkdtemp(join(options.tempDirectory, sandboxPrefix(options.owner)));
  const asServer = { env: environment, cwd: directory, ...(user && { user }) };
  try {
    await createCluster({ file: initdb.path, args: [], ...asServer }, directory, options);
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const args = postgresArgs(join(directory, 'data'), port, options.settings ?? {});
      const child = start({ file: postgres.path, args, ...asServer }, new AbortController().signal);
      child.stdin.end();
      child.stdout.resume();
      const connection = {
        host: '127.0.0.1',
        port,
        user: options.user,
        password: options.password,
        database: maintenanceDatabase,
      };
      const server = { psql, connection, environment, signal: options.signal };
      try {
        const version = await answer(server, child, directory);
        return { server, version, [Symbol.asyncDispose]: () => stop(child, directory) };
      } catch (error) {
        child.kill('SIGKILL');
        await child.ending;
        if (attempt === attempts) throw error;
      }
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function serverUser(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) =>
    Number((await run({ file: 'id', args: [flag, 'postgres'], env }, signal)).stdout || NaN);
  const user = { uid: await id('-u'), gid: await id('-g') };
  if (Number.isInteger(user.uid)) return user;
  throw new Failure(
    'toolMissing',
    'PostgreSQL refuses to run as root, and there is no user "postgres"',
    {
      hint: 'run this as another user, or create one: `useradd --system postgres`',
    },
  );
}

async function createCluster(
  initdb: CommandLine,
  directory: string,
  { user, password, signal }: SandboxOptions,
): Promise<void> {
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (initdb.user) {
    await chown(passwordFile, initdb.user.uid, initdb.user.gid);
    await chown(directory, initdb.user.uid, initdb.user.gid);
  }
  const args = [
    `--pgdata=${join(directory, 'data')}`,
    `--username=${user}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const { exitCode, stderr } = await run({ ...initdb, args }, signal);
  if (exitCode !== 0) throw cannotRun(`initdb: ${lastLine(stderr)}`, directory);
}

function postgresArgs(
  dataDirectory: string,
  port: number,
  settings: Readonly<Record<string, string>>,
): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    ...settings,
  };
  return [
    '-D',
    dataDirectory,
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** The server's version, as soon as it accepts connections. */
async function answer(server: Server, postgres: Child, directory: string): Promise<string> {
  let ended: string | undefined;
  void postgres.ending.then(({ stderr }) => (ended = lastLine(stderr)));
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      return await serverVersion(server, maintenanceDatabase);
    } catch (error) {
      server.signal.throwIfAborted();
      if (ended !== undefined) throw cannotRun(`postgres: ${ended}`, directory);
      if (performance.now() > deadline) throw cannotRun(messageOf(error), directory);
      await sleep(50);
    }
  }
}

const cannotRun = (why: string, directory: string) =>
  new Failure('toolMissing', `a throw-away PostgreSQL cannot be run in ${directory}: ${why}`, {
    hint: 'is there room for it (`df -h`; TMPDIR names another place), and is the server of that version installed whole?',
  });

/** SIGINT: PostgreSQL's fast shutdown. */
async function stop(postgres: Child, directory: string): Promise<void> {
  postgres.kill('SIGINT');
  await postgres.ending;
  await rm(directory, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
