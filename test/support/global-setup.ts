import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { TcpConnection } from '../../src/config/connection.ts';
import { startSandbox } from '../../src/postgres/sandbox.ts';

declare module 'vitest' {
  interface ProvidedContext {
    connection: TcpConnection;
    /** For what tests share; removed at the end. */
    sharedDirectory: string;
  }
}

/** One throw-away PostgreSQL for all tests; each test makes its own databases. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sandbox = await startSandbox({
    tempDirectory: await clusterDirectory(),
    path: process.env.PATH ?? '',
    uid: process.getuid?.() ?? 0,
    user: 'aifinance',
    password: `it's a "pass" $word %20 #1 @host:5 \\ é`,
    settings: {
      max_connections: '100',
      max_prepared_transactions: '2',
      // With hundreds of databases, it would look into several of them in every second.
      autovacuum: 'off',
      full_page_writes: 'off',
    },
    signal: new AbortController().signal,
  });
  project.provide('connection', sandbox.server.connection);
  const sharedDirectory = await mkdtemp(join(tmpdir(), 'pratiko_shared_'));
  project.provide('sharedDirectory', sharedDirectory);
  return async () => {
    await rm(sharedDirectory, { recursive: true, force: true });
    await sandbox[Symbol.asyncDispose]();
  };
}

/** Each database is 300 files: made in memory, where there is room for all. */
async function clusterDirectory(): Promise<string> {
  const memory = '/dev/shm';
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > 4 * 1024 ** 3 ? memory : tmpdir();
}
