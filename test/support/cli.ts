import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { inject, onTestFinished } from 'vitest';

export const bin = fileURLToPath(new URL('../../bin/pratiko-backup.js', import.meta.url));

export interface Run {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly uid?: number;
}

/** A directory that is removed when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pratiko_test_'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The environment in which the tool finds the tests' server and nothing of the developer's. */
export function toolEnvironment(database: string, backupDir: string): Record<string, string> {
  const { host, port, user, password } = inject('connection');
  return {
    PATH: process.env.PATH ?? '',
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(port),
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    BACKUP_DIR: backupDir,
  };
}

export interface Installation {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Run>;
}

/** The tool as a person runs it, with a backup directory and settings of its own. */
export async function installation(database: string): Promise<Installation> {
  const directory = join(await temporaryDirectory(), 'backups');
  await mkdir(directory, { mode: 0o700 });
  const env = toolEnvironment(database, directory);
  return {
    directory,
    env,
    run: (args, options = {}) => runTool(args, { ...options, env: { ...env, ...options.env } }),
  };
}

/** Runs the built tool with exactly this environment, and no `.env`. */
export async function runTool(args: readonly string[], options: RunOptions): Promise<Run> {
  const ending = await execa(process.execPath, [bin, '--env-file', '/dev/null', ...args], {
    env: { ...options.env },
    extendEnv: false,
    input: options.input ?? '',
    reject: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  return { exitCode: ending.exitCode, stdout: ending.stdout, stderr: ending.stderr };
}
