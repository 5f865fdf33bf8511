import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installation, temporaryDirectory } from '../support/cli.ts';
import { isAvailable } from '../support/available.ts';
import { startS3 } from '../support/s3.ts';
import { temporaryDatabase } from '../support/server.ts';

const hasRclone = isAvailable('rclone', ['version'], 'without rclone, its copies stay');
const isDump = (name: string) => /^pratiko_backup_2.*\.sql\.gz/.test(name);
const dumpsIn = async (directory: string) => (await readdir(directory)).filter(isDump).sort();
const day = 86_400_000;

/** Makes a backup look as if it had been made so many days ago. */
async function age(directory: string, name: string, days: number): Promise<string> {
  const moment = new Date(Date.now() - days * day);
  const stamp = `${moment.toISOString().slice(0, 10).replaceAll('-', '')}_020000`;
  const old = `pratiko_backup_${stamp}.sql.gz`;
  const manifest = join(directory, name.replace('.sql.gz', '.manifest.json'));
  const text = await readFile(manifest, 'utf8');
  const created = `"createdAt": "${moment.toISOString().slice(0, 10)}T02:00:00.000Z"`;
  await writeFile(
    join(directory, old.replace('.sql.gz', '.manifest.json')),
    text.replace(/"createdAt": "[^"]*"/, created),
  );
  await rename(join(directory, name), join(directory, old));
  await import('node:fs/promises').then(({ rm }) => rm(manifest));
  return old;
}

/** Backups that were made 20, 19, 1 and 0 days ago, none of which is copied. */
async function withOldOnes() {
  const tool = await installation(await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;'));
  const names: string[] = [];
  for (const days of [20, 19, 1]) {
    expect(await tool.run(['backup', '--no-prune'])).toExitWith(0);
    const name = (await dumpsIn(tool.directory)).at(-1) ?? '';
    names.push(await age(tool.directory, name, days));
  }
  expect(await tool.run(['backup', '--no-prune'])).toExitWith(0);
  names.push((await dumpsIn(tool.directory)).at(-1) ?? '');
  const nas = await temporaryDirectory();
  const env = { OFFSITE_URL: `file://${nas}`, RETENTION_KEEP_MIN: '1' };
  const run = (args: string[], more: Record<string, string> = {}) =>
    tool.run(args, { env: { ...env, ...more } });
  return { ...tool, run, names, nas };
}

test('what is not copied yet stays, until it is', async () => {
  const { run, names, nas, directory } = await withOldOnes();
  const kept = await run(['prune']);
  expect(kept.stdout).toContain('it is not copied to OFFSITE_URL yet');
  expect(await dumpsIn(directory)).toEqual(names);
  expect(await run(['copy'])).toExitWith(0);
  expect(await dumpsIn(nas)).toEqual(names);
  const pruned = await run(['prune'], { OFFSITE_RETENTION_DAYS: '20' });
  expect(await dumpsIn(directory)).toEqual(names.slice(2));
  expect(pruned.stdout).toContain(`copies at file://${nas}`);
  expect(await dumpsIn(nas)).toEqual(names.slice(1));
});

test('copies go by the same rules, with what belongs to them, and are not sent again', async () => {
  const { run, names, nas } = await withOldOnes();
  expect(await run(['copy'])).toExitWith(0);
  await writeFile(join(nas, 'pratiko_backup_20200101_020000.sql.gz'), 'of another machine');
  await writeFile(join(nas, 'notes.txt'), 'mine');
  const planned = await run(['prune', '--dry-run', '--retention-days', '30'], {
    OFFSITE_RETENTION_DAYS: '7',
  });
  expect(planned.stdout).toContain('would remove 2 of 4 backups');
  expect(await dumpsIn(nas)).toHaveLength(5);
  const env = { RETENTION_DAYS: '30', OFFSITE_RETENTION_DAYS: '7' };
  expect(await run(['prune'], env)).toExitWith(0);
  const left = ['pratiko_backup_20200101_020000.sql.gz', ...names.slice(2)];
  expect(await dumpsIn(nas)).toEqual(left);
  expect(await readdir(nas)).toContain('notes.txt');
  expect((await readdir(nas)).filter((name) => name.endsWith('.manifest.json'))).toHaveLength(2);
  expect((await run(['copy'], env)).stdout).toBe('every good backup is there already');
  expect(await dumpsIn(nas)).toEqual(left);
});

test.skipIf(!hasRclone)('what rclone has brought away goes by the same rules', async () => {
  const { run, names, nas } = await withOldOnes();
  const env = {
    OFFSITE_URL: `rclone:nas:${nas}`,
    RCLONE_CONFIG_NAS_TYPE: 'local',
    HOME: nas,
    OFFSITE_RETENTION_DAYS: '7',
  };
  expect(await run(['copy'], env)).toExitWith(0);
  expect(await run(['prune'], env)).toExitWith(0);
  expect(await dumpsIn(nas)).toEqual(names.slice(2));
});

test('OFFSITE_PRUNE=never removes nothing, and does not send again what has expired there', async () => {
  const { run, names, nas } = await withOldOnes();
  const env = { OFFSITE_PRUNE: 'never' };
  expect(await run(['copy'], env)).toExitWith(0);
  expect(await run(['prune'], env)).toExitWith(0);
  expect(await dumpsIn(nas)).toEqual(names);
  await import('node:fs/promises').then(({ rm }) => rm(join(nas, names[3] ?? '')));
  expect((await run(['copy'], env)).stdout).toBe('every good backup is there already');
  // Where nothing expires, what is gone is missing.
  expect((await run(['copy'])).stdout).toContain('copied to');
});

test('where copies may not be removed, that is told, and is no error', async () => {
  const s3 = await startS3({ checks: true });
  const { run, names } = await withOldOnes();
  expect(await run(['copy'], s3.env)).toExitWith(0);
  s3.faulty.fault = ({ method }) =>
    method === 'DELETE' ? { status: 403, code: 'AccessDenied' } : undefined;
  const made = await run(['backup'], s3.env);
  expect(made).toExitWith(0);
  expect(made.stderr.match(/does not let copies be removed/g)).toHaveLength(1);
  expect((await s3.names()).filter(isDump)).toHaveLength(names.length + 1);
});

test('a copy of a backup that is to be kept stays, also when that is gone here', async () => {
  const { run, names, nas, directory } = await withOldOnes();
  const [oldest = '', second = ''] = names;
  expect(await run(['prune', '--dry-run', '--keep', oldest])).toExitWith(0);
  expect(await run(['copy'])).toExitWith(0);
  expect(await run(['prune', '--keep', oldest])).toExitWith(0);
  expect(await dumpsIn(nas)).toContain(oldest);
  for (const ending of ['.sql.gz', '.manifest.json']) {
    await rm(join(directory, oldest.replace('.sql.gz', ending)));
  }
  // Neither another mark nor a backup forgets it.
  expect(await run(['prune', '--keep', names.at(-1) ?? ''])).toExitWith(0);
  expect(await run(['backup'])).toExitWith(0);
  expect(await dumpsIn(nas)).toContain(oldest);
  expect(await dumpsIn(nas)).not.toContain(second);
});

test('so does that of one that was made to be kept', async () => {
  const { run, directory, nas } = await withOldOnes();
  const notYet = { OFFSITE_URL: '' };
  expect(await run(['backup', '--keep', '--no-prune'], notYet)).toExitWith(0);
  const made = await age(directory, (await dumpsIn(directory)).at(-1) ?? '', 25);
  expect(await run(['copy'])).toExitWith(0);
  for (const ending of ['.sql.gz', '.manifest.json']) {
    await rm(join(directory, made.replace('.sql.gz', ending)));
  }
  expect(await run(['backup'])).toExitWith(0);
  const there = await dumpsIn(nas);
  expect(there).toContain(made);
  expect(there).toHaveLength(4);
});
