import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { run, start } from '../../src/base/subprocess.ts';
import { isRunning } from '../support/launch.ts';

const { signal } = new AbortController();
const shell = (script: string) => ({
  file: '/bin/sh',
  args: ['-c', script],
  env: { PATH: process.env.PATH ?? '' },
});

test('what a child has written waits for a reader, also when the child has ended', async () => {
  const child = start(shell('seq 10000'), signal);
  await sleep(300);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toMatch(/^1\n2\n[^]*\n10000\n$/);
  expect(await child.ending).toExitWith(0);
});

test('a run gives what came out, how it ended and what it complained of', async () => {
  const ending = await run(shell('cat; echo "no" >&2; exit 3'), signal, 'input');
  expect(ending).toMatchObject({ exitCode: 3, stdout: 'input', stderr: 'no' });
});

test('as many children as there may be wait for one signal, and no warning is heard', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  const controller = new AbortController();
  const children = Array.from({ length: 20 }, () => start(shell('sleep 60'), controller.signal));
  await sleep(0); // warnings come a moment later
  controller.abort();
  const endings = await Promise.all(children.map(({ ending }) => ending));
  process.off('warning', hear);
  expect(new Set(endings.map(({ signal: killedBy }) => killedBy))).toEqual(new Set(['SIGTERM']));
  expect(warnings).toEqual([]);
});

test('an aborted child is ended with what it has started, and one that does not listen is killed', async () => {
  const controller = new AbortController();
  const child = start(
    shell("trap '' TERM; sleep 60 & echo $!; wait; wait; sleep 60"),
    controller.signal,
  );
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  controller.abort();
  expect((await child.ending).signal).toBe('SIGKILL');
  expect(await isRunning(Number(first.toString()))).toBe(false);
});
