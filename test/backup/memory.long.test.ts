import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { bin, installation } from '../support/cli.ts';
import { dump, temporaryDatabase } from '../support/server.ts';

/** The peak resident memory of a run of the tool, in MB, as the kernel tells it at its end. */
async function peak(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const report = `process.on('exit', () => console.log(process.resourceUsage().maxRSS));`;
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const { stdout } = await execa(
    process.execPath,
    ['--import', preload, bin, '--env-file', '/dev/null', ...args],
    { env, extendEnv: false },
  );
  return Number(stdout.split('\n').at(-1)) / 1024;
}

/** On a busy machine garbage is collected late, now and then; what is kept is there every time. */
async function expectPeakBelow(limit: number, ...run: Parameters<typeof peak>): Promise<void> {
  await expect.poll(() => peak(...run), { message: run[0].join(' ') }).toBeLessThan(limit);
}

test('backup, verify and restore need no more memory for a large database than for a small one', async () => {
  const rows = (count: number) =>
    `CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, ${count}) AS n;`;
  const small = await installation(await temporaryDatabase(rows(1000)));
  const large = await installation(await temporaryDatabase(rows(100_000)));
  for (const args of [['backup'], ['verify'], ['restore', '--yes', '--drop-old']]) {
    const little = await peak(args, small.env);
    await expectPeakBelow(Math.min(150, little + 60), args, large.env);
  }
});

test('nor do INSERT statements, however many', async () => {
  const rows = (count: number) =>
    `CREATE TABLE t AS SELECT n, repeat(md5(n::text), 30) AS text FROM generate_series(1, ${count}) AS n;`;
  const database = await temporaryDatabase(rows(40_000));
  const { env, directory } = await installation(database);
  const path = join(directory, 'inserts.sql');
  await writeFile(
    path,
    (await dump(database, '--inserts')).replaceAll('restrict KEY', 'restrict k'),
  );
  await expectPeakBelow(150, ['restore', path, '--yes', '--drop-old'], env);
});
