import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withOneBackup } from '../support/aged-backups.ts';
import { expectSound } from '../support/invariants.ts';

const latest = 'pratiko_backup_latest.sql.gz';
const sqlText = 'CREATE TABLE t AS SELECT generate_series(1, 100) AS a;';

/** A directory whose `latest` is something else than it should be. */
const oddities: [string, (link: string, outside: string) => Promise<unknown>][] = [
  ['missing', () => Promise.resolve()],
  ['dangling', (link) => symlink('pratiko_backup_20200101_000000.sql.gz', link)],
  ['pointing outside', (link, outside) => symlink(outside, link)],
  [
    'pointing outside by a relative path',
    (link) => symlink('../pratiko_backup_20200101_000000.sql.gz', link),
  ],
  ['pointing to itself', (link) => symlink(latest, link)],
  ['a plain file', (link) => writeFile(link, 'not ours')],
  ['a directory', (link) => mkdir(link)],
];

async function prepared(make: (link: string, outside: string) => Promise<unknown>) {
  const tool = await withOneBackup(sqlText);
  const link = join(tool.directory, latest);
  const name = await readlink(link);
  const outside = join(tool.directory, '..', 'pratiko_backup_20200101_000000.sql.gz');
  await writeFile(outside, 'the file of somebody else');
  await rm(link);
  await make(link, outside);
  return { ...tool, link, name, outside };
}

test.each(oddities)('%s: backup makes a good link and destroys nothing', async (_, make) => {
  const { run, directory, link, outside } = await prepared(make);
  const was = await lstat(link).catch(() => undefined);

  const { exitCode, stderr } = await run(['backup']);

  expect(exitCode).toBe(0);
  await expectSound(directory);
  expect(await readFile(outside, 'utf8')).toBe('the file of somebody else');
  expect(await readdir(directory)).toContain(await readlink(link));
  const aside = (await readdir(directory)).filter((name) => name.includes('set_aside'));
  expect(aside).toHaveLength(was === undefined || was.isSymbolicLink() ? 0 : 1);
  if (aside[0] !== undefined) {
    expect(stderr).toContain(`WARN: ${latest} was not a link; it is now ${aside[0]}`);
    const kept = await lstat(join(directory, aside[0]));
    expect(kept.isDirectory()).toBe(was?.isDirectory());
  }
});

test.each(oddities)(
  '%s: verify and restore take the newest good backup and say so',
  async (_, make) => {
    const { run, name, directory } = await prepared(make);
    await writeFile(
      join(directory, 'pratiko_backup_20300101_000000.sql.gz'),
      'newer, but not good',
    );
    for (const args of [['verify'], ['verify', 'latest'], ['verify', join(directory, latest)]]) {
      const { exitCode, stdout, stderr } = await run(args);
      expect(stderr).toMatch(/(?:leads to|there is) no .*; taking the newest that looks good/);
      expect(stdout).toContain(`${name}  good`);
      expect(exitCode).toBe(0);
    }
    const restored = await run(['restore']);
    expect(restored.stderr).toContain('taking the newest that looks good');
    expect(restored.stderr).toContain(`restoring ${name}`);
    expect(restored.exitCode).toBe(2); // not confirmed
  },
);
