import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/cli.ts';
import { linesOf, pictureOf, wordsOf } from './picture.ts';

const demo = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'demo.js');

/** The demo in a temporary directory of its own, with settings in the environment that lead nowhere. */
async function start() {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o755); // the server may run as another user
  const env = {
    PATH: process.env.PATH,
    TMPDIR: directory,
    POSTGRES_HOST: 'host.invalid',
    DB_NAME: 'production',
    PGHOST: 'host.invalid',
    SLACK_WEBHOOK_URL: 'http://host.invalid/',
  };
  const child = execa(process.execPath, [demo], {
    env,
    extendEnv: false,
    reject: false,
    all: true,
  });
  return { directory, child };
}

test('the demo brings every table back and leaves nothing', async () => {
  const { directory, child } = await start();
  const { exitCode, stdout, stderr } = await child;
  expect(stderr).toBe('');
  expect(stdout).toContain('public.knowledge_items     31 rows');
  expect(stdout).toContain('public.document_chunks    128 rows');
  expect(stdout).toContain('DROP DATABASE aifinance');
  expect(stdout.match(/identical/g)).toHaveLength(16);
  expect(stdout).toContain('behind `env -i`');
  expect(stdout).not.toContain('production');
  expect(exitCode).toBe(0);
  expect(await readdir(directory)).toEqual([]);
});

test("the README's picture shows what the demo prints", async () => {
  const { child } = await start();
  const { stdout } = await child;
  const picture = pictureOf(linesOf(stdout));
  const path = fileURLToPath(new URL('demo.svg', import.meta.url));
  // `npm run picture` draws it.
  if (process.env.DRAW_PICTURE !== undefined) await writeFile(path, picture);
  expect(wordsOf(picture).length).toBeGreaterThan(25);
  expect(wordsOf(await readFile(path, 'utf8'))).toEqual(wordsOf(picture));
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle leaves nothing either',
  async (signal) => {
    const { directory, child } = await start();
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('1. A backup')) resolve();
      });
      child.once('exit', () => resolve());
    });
    child.kill(signal);
    const { exitCode, stderr } = await child;
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(await readdir(directory)).toEqual([]);
    const { stdout: processes } = await execa('ps', ['-eo', 'args']);
    expect(processes).not.toContain(directory);
  },
);
