import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { startSandbox } from '../../src/postgres/sandbox.ts';
import { makeData, type Scale } from './data.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/pratiko-bench/', import.meta.url));

/** What a command cost. */
export interface Cost {
  readonly seconds: number;
  /** Of its largest process. */
  readonly peakMegabytes: number;
}

/** A server with autovacuum off: it would take its time from one contender and not from another. */
export async function openStage(settings: Readonly<Record<string, string>> = {}) {
  await requireTools('pigz', 'zstd', 'time');
  const sandbox = await startSandbox({
    tempDirectory: tmpdir(),
    path: process.env.PATH ?? '',
    uid: process.getuid?.() ?? 0,
    user: 'aifinance',
    password: 'bench',
    settings: { autovacuum: 'off', max_wal_size: '8GB', ...settings },
    signal: new AbortController().signal,
  });
  const directory = await mkdtemp(join(tmpdir(), 'pratiko_bench_'));
  const { connection, environment } = sandbox.server;
  const env = {
    ...libpqEnvironment(environment, connection, 'postgres'),
    POSTGRES_HOST: connection.host,
    POSTGRES_PORT: String(connection.port),
    POSTGRES_USER: connection.user,
    POSTGRES_PASSWORD: connection.password,
    BACKUP_DIR: directory,
  };
  const shell = (script: string) =>
    execa('sh', ['-c', script], { env, extendEnv: false, cwd: directory });

  return {
    directory,
    env,
    version: sandbox.version,
    shell,

    /** Runs a shell script and tells its cost; one that fails has none. */
    async measure(script: string): Promise<Cost> {
      await shell('sync');
      const { stderr } = await execa('/usr/bin/time', ['-f', '\n%e %M', 'sh', '-ec', script], {
        env,
        extendEnv: false,
        cwd: directory,
      });
      const [seconds, kilobytes] = (stderr.split('\n').at(-1) ?? '').split(' ').map(Number);
      if (!seconds || !kilobytes) throw new Error(`time said: ${stderr}`);
      return { seconds, peakMegabytes: kilobytes / 1024 };
    },

    /** Makes a database of a scale, from data that is kept for the next time. */
    async makeDatabase(name: string, scale: Scale): Promise<void> {
      await shell(
        `createdb ${name} && psql -q -d ${name} -v ON_ERROR_STOP=1 -1 -f '${await dataFile(scale)}'`,
      );
      await shell(`psql -q -d ${name} -c 'VACUUM ANALYZE' -c CHECKPOINT`);
    },

    /** The same for databases with the same rows, whatever their order, and the same definitions. */
    async fingerprint(database: string): Promise<string> {
      const tables = ['knowledge_items', 'chunks', 'chat_messages', 'readings'];
      const sums = tables.map(
        (table) =>
          `SELECT count(*), sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) FROM ${table} AS t;`,
      );
      const rows = await shell(`psql -At -d ${database} -c "${sums.join('" -c "')}"`);
      const definitions = await shell(`pg_dump --schema-only ${database} | grep -v restrict`);
      return rows.stdout + createHash('sha256').update(definitions.stdout).digest('hex');
    },

    async [Symbol.asyncDispose](): Promise<void> {
      await sandbox[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

async function dataFile(scale: Scale): Promise<string> {
  const path = join(cache, `${Object.values(scale).join('_')}.sql`);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    await mkdir(cache, { recursive: true });
    await pipeline(makeData(scale), createWriteStream(`${path}.partial`));
    await rename(`${path}.partial`, path);
  }
  return path;
}

async function requireTools(...names: string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    const { exitCode } = await execa('which', [name], { reject: false });
    if (exitCode !== 0) missing.push(name);
  }
  if (missing.length === 0) return;
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...missing];
  const done = await execa('apt-get', install, { reject: false });
  if (done.exitCode === 0) return;
  throw new Error(`the benchmark needs ${missing.join(', ')}: install them (apt-get, brew)`);
}
