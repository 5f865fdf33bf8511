import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { run, start } from '../../src/base/subprocess.ts';

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
