import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ageBy } from '../support/age-by.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';

const files = async (directory: string) =>
  (await readdir(directory)).filter((name) => /_\d{6}\.sql\.gz$/.test(name));

test('a backup that was made to be kept stays until somebody says otherwise', async () => {
  const { directory, run } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  const kept = await run(['backup', '--keep', '--label', 'before migration 42', '--json']);
  expect(kept).toExitWith(0);
  expect(JSON.parse(kept.stdout)).toMatchObject({ keep: true, label: 'before migration 42' });
  await ageBy(directory, 30);
  for (let night = 1; night <= 3; night += 1) expect(await run(['backup'])).toExitWith(0);
  const list = await run(['list']);
  expect(list.stdout).toMatch(/\.sql\.gz {2}kept {2}"before migration 42"$/m);
  const [old = ''] = await files(directory);
  expect(await files(directory)).toHaveLength(4);

  const dry = await run(['prune', '--unkeep', old, '--dry-run']);
  expect(dry.stdout).toContain(`remove  ${old}`);
  expect((await run(['prune', '--dry-run'])).stdout).toContain(
    `keep  ${old}  to be kept, until \`prune --unkeep\``,
  );
  const plan = await run(['restore', old, '--dry-run']);
  expect(plan.stdout).toContain('("before migration 42", made');

  expect(await run(['prune', '--unkeep', old])).toExitWith(0);
  expect(await files(directory)).not.toContain(old);
});

test('one can be kept later, by its time, and that survives every prune', async () => {
  const { directory, run } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  await ageBy(directory, 30);
  for (let night = 1; night <= 2; night += 1) expect(await run(['backup'])).toExitWith(0);
  const [old = ''] = await files(directory);
  const stamp = old.slice(15, 30);
  const marked = await run(['prune', '--keep', stamp, '--json']);
  expect(JSON.parse(marked.stdout)).toMatchObject({ marked: [{ name: old, keep: true }] });
  for (let night = 1; night <= 3; night += 1) expect(await run(['backup'])).toExitWith(0);
  expect(await run(['prune', '--retention-days', '1', '--keep-min', '1'])).toExitWith(0);
  expect(await files(directory)).toContain(old);
});

test('what a run that was killed has left of the note is no obstacle', async () => {
  const { directory, run, name } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  const partial = join(directory, '.pratiko_backup_kept.json.partial');
  await writeFile(partial, 'half');
  expect(await run(['prune', '--keep', name])).toExitWith(0);
  expect(await readFile(join(directory, 'pratiko_backup_kept.json'), 'utf8')).toContain('true');
  await expect(readFile(partial)).rejects.toThrow('ENOENT');
});

test('what makes no sense removes nothing', async () => {
  const { directory, run, name } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  expect(await run(['prune', '--keep', '20200101_000000'])).toExitWith(10);
  expect(await run(['prune', '--keep', name, '--unkeep', name])).toExitWith(2);
  const elsewhere = join(await temporaryDirectory(), name);
  await writeFile(elsewhere, '');
  const other = await run(['prune', '--keep', elsewhere]);
  expect(other).toExitWith(2);
  expect(other.stderr).toContain(`${elsewhere} is not in ${directory}`);
  expect(await run(['backup', '--label', 'two\nlines'])).toExitWith(2);
  expect(await run(['backup', '--label', ' '])).toExitWith(2);
  await writeFile(join(directory, 'pratiko_backup_kept.json'), '{');
  const pruned = await run(['prune']);
  expect(pruned).toExitWith(14);
  expect(pruned.stderr).toContain('nothing is removed until it does');
  const backup = await run(['backup']);
  expect(backup).toExitWith(3);
  expect(await run(['list'])).toExitWith(0);
  expect(await readFile(join(directory, 'pratiko_backup_kept.json'), 'utf8')).toBe('{');
});
