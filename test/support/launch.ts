import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { bin } from './cli.ts';

/** A run of the tool that goes on while the test does things to it. */
export type Launched = ReturnType<typeof launch>;

/** Starts the tool in a process group of its own, with exactly this environment. */
export function launch(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  before: readonly string[] = [],
) {
  const [file = '', ...rest] = [
    ...before,
    process.execPath,
    bin,
    '--env-file',
    '/dev/null',
    ...args,
  ];
  return execa(file, rest, { env, extendEnv: false, reject: false, detached: true });
}

/** Ends what is left of a launched group, whatever the test did. */
export function killGroup({ pid }: Launched, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid !== undefined) process.kill(-pid, signal);
}

/** `kill -9` of processes, each if it has not ended by itself meanwhile. */
export function killEach(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** Waits until a run has begun to write a backup of at least so many bytes. */
export async function untilDumping(directory: string, bytes: number): Promise<void> {
  await expect.poll(() => partialBytes(directory), { interval: 5 }).toBeGreaterThanOrEqual(bytes);
}

async function partialBytes(directory: string): Promise<number> {
  const partial = (await readdir(directory)).find((name) => name.endsWith('.sql.gz.partial'));
  if (partial === undefined) return -1;
  return (await stat(join(directory, partial)).catch(() => ({ size: -1 }))).size;
}

/** The process ids of the children of a process whose command line contains a text. */
export async function childrenOf(pid: number | undefined, text: string): Promise<number[]> {
  const { stdout } = await execa('ps', ['-eo', 'pid=,ppid=,args=']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => Number(match?.[2]) === pid && match?.[3]?.includes(text))
    .map((match) => Number(match?.[1]));
}

/** Whether a process is at work; one that has ended and waits to be reaped is not. */
export async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await execa('ps', ['-o', 'stat=', '-p', String(pid)], { reject: false });
  return stdout !== '' && !stdout.startsWith('Z');
}
