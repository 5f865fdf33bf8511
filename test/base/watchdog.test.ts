import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Watchdog, watchdogScript } from '../../src/base/watchdog.ts';

function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'], { detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.pid === undefined) throw new Error('sleep was not started');
  return Object.assign(child, { pid: child.pid });
}

/** The watchdogs that this process has started. */
async function watchdogs(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const parent = /\) \S (\d+) /.exec(await read('stat'))?.[1];
      if (parent !== String(process.pid)) return undefined;
      return (await read('cmdline')).includes(watchdogScript) ? Number(pid) : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}

test('when its input closes, it kills those that have not ended, and no others', async () => {
  const [left, ended, other] = [sleeper(), sleeper(), sleeper()];
  const watchdog = spawn('/bin/sh', ['-c', watchdogScript, 'sh'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.stdin.write(`+ ${left.pid}\n+ ${ended.pid}\n+ ${other.pid}\n- ${ended.pid}\n`);
  await sleep(500); // until it has begun
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) watchdog.kill(signal);
  const killed = Promise.all([once(left, 'exit'), once(other, 'exit')]);
  watchdog.stdin.end();
  expect(await killed).toEqual([
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  expect([ended.exitCode, ended.signalCode]).toEqual([null, null]);
});

test('where somebody has killed it, another one takes over', async () => {
  const watchdog = new Watchdog();
  const before = await watchdogs();
  expect(watchdog.watch(sleeper().pid)).toBe(true);
  const [first = 0] = (await watchdogs()).filter((pid) => !before.includes(pid));
  process.kill(first, 'SIGKILL');
  await expect.poll(watchdogs).not.toContain(first);
  const next = sleeper();
  expect(watchdog.watch(next.pid)).toBe(true);
  const [second = 0] = (await watchdogs()).filter((pid) => !before.includes(pid));
  expect(second).toBeGreaterThan(0);
  watchdog.release(next.pid);
});
