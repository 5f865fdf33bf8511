import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { acquireLock, type LockRequest } from '../../src/backup-directory/lock.ts';
import { lockName } from '../../src/backup-directory/names.ts';
import { temporaryDirectory } from '../support/cli.ts';

const request = (directory: string, changes: Partial<LockRequest> = {}): LockRequest => ({
  directory,
  pid: process.pid,
  hostname: hostname(),
  command: 'backup',
  waitMs: 0,
  now: () => new Date(),
  signal: new AbortController().signal,
  ...changes,
});

test('one holds it, the next is refused and told who, and after the release it is free', async () => {
  const directory = await temporaryDirectory();
  const lock = await acquireLock(request(directory));

  const error: unknown = await acquireLock(request(directory)).catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ exitCode: 11, hint: expect.stringContaining('--wait') as string });
  expect(String(error)).toContain(`backup, process ${process.pid} on ${hostname()}, since 20`);
  await lock[Symbol.asyncDispose]();
  expect(await readdir(directory)).toEqual([]);
  await using _again = await acquireLock(request(directory));
});

test('of many at once exactly one gets it, also when a dead one lies there', async () => {
  const directory = await temporaryDirectory();
  await deadLock(directory);
  const attempts = Array.from({ length: 20 }, () => acquireLock(request(directory)));
  const results = await Promise.allSettled(attempts);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect((await readdir(directory)).filter((name) => name !== lockName)).toEqual([]);
});

test('who waits gets it when it is free', async () => {
  const directory = await temporaryDirectory();
  const lock = await acquireLock(request(directory));
  const waiting = acquireLock(request(directory, { waitMs: 30_000 }));
  await lock[Symbol.asyncDispose]();
  await using won = await waiting;
  await won.assertHeld();
});

test('a lock whose process id is in use again by another process is dead', async () => {
  const directory = await temporaryDirectory();
  await leaveLock(directory, { start: '1' });
  await using lock = await acquireLock(request(directory));
  await lock.assertHeld();
});

test('a lock whose holder died before it could write its name is dead', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, lockName), '');
  await using lock = await acquireLock(request(directory));
  await lock.assertHeld();
});

test('a lock of another process namespace lives as long as its heartbeat, and dies with it', async () => {
  const directory = await temporaryDirectory();
  const path = await leaveLock(directory, { namespace: 'a container', pid: 1 });
  await expect(acquireLock(request(directory))).rejects.toThrow('process 1');

  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(path, longAgo, longAgo);
  const beating = setInterval(() => void utimes(path, new Date(), new Date()), 1000);
  await expect(acquireLock(request(directory))).rejects.toThrow('process 1');
  clearInterval(beating);
  await utimes(path, longAgo, longAgo);
  await using _lock = await acquireLock(request(directory));
});

test('who lost it to another learns it before publishing', async () => {
  const directory = await temporaryDirectory();
  const lock = await acquireLock(request(directory));
  await lock.assertHeld();
  await writeFile(join(directory, lockName), '{}');
  await expect(lock.assertHeld()).rejects.toThrow('taken over');
  await lock[Symbol.asyncDispose]();
  expect(await readdir(directory)).toEqual([lockName]);
});

/** Leaves a lock like ours, but with these changes and without a heartbeat; gives its path. */
async function leaveLock(directory: string, changes: object): Promise<string> {
  const path = join(directory, lockName);
  const lock = await acquireLock(request(directory));
  const record = JSON.parse(await readFile(path, 'utf8')) as object;
  await lock[Symbol.asyncDispose]();
  await writeFile(path, JSON.stringify({ ...record, ...changes }));
  return path;
}

/** Leaves the lock of a process that has been killed. */
async function deadLock(directory: string): Promise<void> {
  const child = spawn('sleep', ['600']);
  await acquireLock(request(directory, { pid: child.pid ?? 0 }));
  child.kill('SIGKILL');
  await once(child, 'exit');
}
