import { readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { ageKeys, gpgKeys, hasGpg } from '../support/keys.ts';
import { filesIn } from '../support/invariants.ts';
import { temporaryDatabase } from '../support/server.ts';

interface Listed {
  readonly name: string;
  readonly encryption: string | null;
  readonly state: string;
  readonly isLatest: boolean;
}

/** A directory with a plain backup, one by age, and one by gpg, in this order. */
async function withAllThree() {
  const tool = await installation(await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;'));
  const age = await ageKeys();
  const gpg = await gpgKeys();
  const names: string[] = [];
  const backup = async (env: Record<string, string>) => {
    const made = await tool.run(['backup', '--json'], { env });
    expect(made).toExitWith(0);
    const { backup: name } = JSON.parse(made.stdout) as { backup: string };
    names.push(name);
    return name;
  };
  const list = async () => {
    const { stdout } = await tool.run(['list', '--json']);
    return (JSON.parse(stdout) as { backups: Listed[] }).backups.toReversed();
  };
  await backup({ BACKUP_GLOBALS: 'true' });
  await backup({ ...age.toEncrypt, BACKUP_GLOBALS: 'true' });
  await backup({ ...gpg.toEncrypt, BACKUP_GLOBALS: 'true' });
  const env = { ...gpg.env, ...age.toDecrypt };
  return {
    ...tool,
    age,
    gpg,
    names,
    backup,
    list,
    open: (...args: string[]) => tool.run(args, { env }),
  };
}

const latestOf = async (directory: string) =>
  (await readdir(directory)).filter((name) => name.includes('latest'));

test.skipIf(!hasGpg)('plain and encrypted backups live side by side', async () => {
  const { directory, names, list, open, backup, age } = await withAllThree();
  expect(await list()).toMatchObject([
    { name: names[0], encryption: null, state: 'verified', isLatest: false },
    { name: names[1], encryption: 'age', state: 'verified', isLatest: false },
    { name: names[2], encryption: 'gpg', state: 'verified', isLatest: true },
  ]);
  expect(await latestOf(directory)).toEqual(['pratiko_backup_latest.sql.gz.gpg']);
  expect((await open('verify', '--all')).stdout.match(/good:/g)).toHaveLength(3);
  for (const name of names) {
    const stamp = name.slice(15, 30);
    for (const called of [stamp, name, `pratiko_backup_${stamp}`]) {
      expect((await open('verify', called)).stdout).toContain(`${name}  good:`);
    }
  }
  const newest = await backup(age.toEncrypt);
  expect(await latestOf(directory)).toEqual(['pratiko_backup_latest.sql.gz.age']);
  expect((await open('verify')).stdout).toContain(newest);
  const plain = await backup({});
  expect(await latestOf(directory)).toEqual(['pratiko_backup_latest.sql.gz']);
  expect((await open('verify', 'latest')).stdout).toContain(plain);
});

test.skipIf(!hasGpg)(
  'retention counts all of them, and takes with each what belongs to it',
  async () => {
    const { directory, names, backup, open } = await withAllThree();
    await backup({});
    await backup({});
    const old = async (name: string, days: number) => {
      const day = new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
      const stamp = `${day.replaceAll('-', '')}_020000`;
      for (const file of await filesIn(directory)) {
        if (!file.includes(name.slice(15, 30)) || file.includes('latest')) continue;
        await rename(
          join(directory, file),
          join(directory, file.replace(name.slice(15, 30), stamp)),
        );
      }
      const manifest = join(directory, `pratiko_backup_${stamp}.manifest.json`);
      const text = await readFile(manifest, 'utf8');
      await writeFile(
        manifest,
        text.replace(/"createdAt": "[^"]*"/, `"createdAt": "${day}T02:00:00.000Z"`),
      );
      return stamp;
    };
    const stamps: string[] = [];
    for (const [index, name] of names.slice(0, 3).entries())
      stamps.push(await old(name, 30 - index));
    expect(await open('prune', '--keep-min', '1', '--retention-days', '7')).toExitWith(0);
    const left = await filesIn(directory);
    for (const stamp of stamps) expect(left.filter((name) => name.includes(stamp))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining(names.slice(3)));
  },
);

test.skipIf(!hasGpg)('a backup that was decrypted beside itself is no damaged one', async () => {
  const { directory, names, list, open } = await withAllThree();
  const stamp = names[1]?.slice(15, 30) ?? '';
  const { stdout } = await open('extract', stamp);
  const plain = `pratiko_backup_${stamp}.sql.gz`;
  await writeFile(join(directory, plain), gzipSync(`${stdout}\n\n`));
  const states = (await list()).filter(({ name }) => name.includes(stamp));
  expect(new Map(states.map(({ name, state }) => [name, state]))).toEqual(
    new Map([
      [plain, 'unverified'],
      [names[1], 'verified'],
    ]),
  );
  const ambiguous = await open('verify', stamp);
  expect(ambiguous).toExitWith(10);
  expect(ambiguous.stderr).toContain(`hint: give the whole name: ${plain}, ${names[1]}`);
  expect((await open('verify', plain)).stdout).toContain('no manifest to compare with');
});

test.skipIf(!hasGpg)(
  'what a run that was killed has left of any of them is removed by the next',
  async () => {
    const { directory, backup, list } = await withAllThree();
    const stamp = '20250101_000000';
    const left = ['sql.gz', 'sql.gz.age', 'sql.gz.gpg', 'globals.sql.age', 'manifest.json'].map(
      (ending) => `.pratiko_backup_${stamp}.${ending}.partial`,
    );
    for (const name of left) await writeFile(join(directory, name), 'x');
    // Between the new link and the removal of the old one.
    await symlink(
      'pratiko_backup_20250101_000000.sql.gz',
      join(directory, 'pratiko_backup_latest.sql.gz'),
    );
    expect((await list()).at(-1)).toMatchObject({ isLatest: true });
    await backup({});
    const names = await readdir(directory);
    for (const name of left) expect(names).not.toContain(name);
    expect(await latestOf(directory)).toEqual(['pratiko_backup_latest.sql.gz']);
  },
);

test.skipIf(!hasGpg)(
  'a directory where `latest` of another kind is a file loses nothing',
  async () => {
    const { directory, backup, age } = await withAllThree();
    await writeFile(join(directory, 'pratiko_backup_latest.sql.gz'), 'mine');
    await backup(age.toEncrypt);
    const latest = await latestOf(directory);
    expect(latest).toHaveLength(2);
    const [aside = ''] = latest.filter((name) => name.includes('set_aside'));
    expect(await readFile(join(directory, aside), 'utf8')).toBe('mine');
    expect(latest).toContain('pratiko_backup_latest.sql.gz.age');
  },
);
