import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAvailable } from '../support/available.ts';
import { filesIn } from '../support/invariants.ts';
import { installation, temporaryDirectory } from '../support/cli.ts';
import { ageKeys } from '../support/keys.ts';
import { smallDisk } from '../support/small-disk.ts';
import { temporaryDatabase } from '../support/server.ts';

const rows = 'CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g;';

const isDump = (name: string) => /^pratiko_backup_2.*\.sql\.gz/.test(name);
const dumpsIn = async (directory: string) => (await readdir(directory)).filter(isDump).sort();

describe('file:///directory', () => {
  async function withDirectory() {
    const tool = await installation(await temporaryDatabase(rows));
    const nas = await temporaryDirectory();
    const offsite = { OFFSITE_URL: `file://${nas}` };
    const run = (args: string[], env: Record<string, string> = {}) =>
      tool.run(args, { env: { ...offsite, ...env } });
    return { ...tool, nas, offsite, run };
  }

  test('copies are private, whole, and fetched back', async () => {
    const { run, nas, directory, database } = await withDirectory2();
    expect(await run(['backup'])).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    const names = [name.replace('.sql.gz', '.manifest.json'), name];
    expect((await filesIn(nas)).sort()).toEqual(names);
    expect((await stat(join(nas, name))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(nas, name))).equals(await readFile(join(directory, name)))).toBe(
      true,
    );
    const fresh = await installation(database);
    const url = `file://${nas}/${name}`;
    expect((await fresh.run(['verify', url])).stdout).toContain('good:');
    expect(await fresh.run(['restore', url, '--yes'])).toExitWith(0);
  });

  async function withDirectory2() {
    const made = await withDirectory();
    return { ...made, database: made.env.POSTGRES_DB ?? '' };
  }

  test('a disk that is not mounted, or full, or read-only for us', async () => {
    const { run, nas, directory } = await withDirectory();
    expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const missing = await run(['copy'], { OFFSITE_URL: `file://${nas}/not-mounted` });
    expect(missing).toExitWith(3);
    expect(missing.stderr).toContain('mount its disk');
    const full = await smallDisk('size=64k');
    const refused = await run(['copy'], { OFFSITE_URL: `file://${full}` });
    expect(refused).toExitWith(3);
    expect(refused.stderr).toContain('no space left on the disk');
    expect((await readdir(full)).filter((name) => /\.gz/.test(name))).toEqual([]);
    expect(await dumpsIn(directory)).toHaveLength(1);
    expect(await run(['copy'])).toExitWith(0);
  });

  test('what a run that was killed has left is no copy, and is replaced', async () => {
    const { run, nas, directory } = await withDirectory();
    expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    await writeFile(join(nas, `.${name}.partial`), 'half');
    const listed = await run(['list', '--offsite', '--json']);
    expect(listed.stdout).toContain('"offsite":[{"url":"file://');
    expect(listed.stdout).toContain('"backups":[],"problem":null');
    expect(await run(['copy'])).toExitWith(0);
    expect((await readdir(nas)).filter((each) => each.includes('partial'))).toEqual([]);
  });

  test('a backup that has rotted here does not become a copy', async () => {
    const { run, nas, directory } = await withDirectory();
    expect(await run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    const bytes = await readFile(join(directory, name));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await chmod(join(directory, name), 0o600);
    await writeFile(join(directory, name), bytes);
    const copied = await run(['copy']);
    expect(copied).toExitWith(3);
    expect(copied.stderr).toContain('it is damaged');
    expect(await dumpsIn(nas)).toEqual([]);
  });

  test('several places are served, each by itself', async () => {
    const { run, nas } = await withDirectory();
    const other = await temporaryDirectory();
    const urls = `file://${nas}/gone file://${nas} file://${other}`;
    const made = await run(['backup'], { OFFSITE_URL: urls });
    expect(made).toExitWith(3);
    expect(await dumpsIn(nas)).toHaveLength(1);
    expect(await dumpsIn(other)).toHaveLength(1);
    const listed = await run(['list'], { OFFSITE_URL: urls });
    expect(listed.stdout).toContain('2 of 3');
    // The first place that has it serves.
    await rm(other, { recursive: true });
    const found = await run(['verify', '--from-offsite'], {
      OFFSITE_URL: `file://${other} file://${nas}`,
    });
    expect(found.stdout).toContain('good:');
  });

  test('the newest good copy is found wherever it is, also where another place has a bad one', async () => {
    const { run, nas, directory, database } = await withDirectory2();
    const other = await temporaryDirectory();
    expect(await run(['backup'])).toExitWith(0);
    expect(await run(['backup'], { OFFSITE_URL: `file://${other}` })).toExitWith(0);
    const names = await dumpsIn(directory);
    const both = { OFFSITE_URL: `file://${nas} file://${other}` };
    const fresh = await installation(database);
    const found = await fresh.run(['verify', '--from-offsite'], { env: both });
    expect(found.stdout).toContain(`${names[1]}  good:`);

    expect(await run(['copy'], both)).toExitWith(0);
    const bytes = await readFile(join(nas, names[1] ?? ''));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(join(nas, names[1] ?? ''), bytes);
    const second = await installation(database);
    const restored = await second.run(['restore', '--from-offsite', '--yes'], { env: both });
    expect(restored).toExitWith(0);
    expect(restored.stderr).toContain('is not what was copied');
    expect(restored.stderr).toContain(names[1]);
  });

  test('what was fetched belongs to who has copied it', async () => {
    const { run, nas, directory, database } = await withDirectory2();
    expect(await run(['backup'])).toExitWith(0);
    const [old = ''] = await dumpsIn(directory);
    const fresh = await installation(database);
    const env = { OFFSITE_URL: `file://${nas}`, OFFSITE_RETENTION_KEEP_MIN: '1' };
    expect(await fresh.run(['restore', '--from-offsite', '--yes'], { env })).toExitWith(0);
    expect(await fresh.run(['backup'], { env })).toExitWith(0);
    const planned = await fresh.run(['prune', '--dry-run', '--json'], { env });
    const { offsite } = JSON.parse(planned.stdout) as {
      offsite: { decisions: { name: string }[] }[];
    };
    expect(offsite[0]?.decisions.map(({ name }) => name)).not.toContain(old);
    expect(offsite[0]?.decisions).toHaveLength(1);
  });

  test('two machines with a backup of the same second do not take anything from each other', async () => {
    const { run, nas, directory } = await withDirectory();
    const other = await withDirectory();
    expect(await run(['backup'])).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    const manifest = name.replace('.sql.gz', '.manifest.json');
    const before = await readFile(join(nas, manifest), 'utf8');
    expect(await other.run(['backup'], { OFFSITE_URL: '' })).toExitWith(0);
    const [theirs = ''] = await dumpsIn(other.directory);
    for (const [old, now] of [
      [theirs, name],
      [theirs.replace('.sql.gz', '.manifest.json'), manifest],
    ] as const) {
      await rename(join(other.directory, old), join(other.directory, now));
    }
    const copied = await other.run(['copy'], { OFFSITE_URL: `file://${nas}` });
    expect(copied).toExitWith(3);
    expect(await readFile(join(nas, manifest), 'utf8')).toBe(before);
    expect((await run(['verify', `file://${nas}/${name}`])).stdout).toContain('good:');
  });

  test('the backup directory itself is no place for copies', async () => {
    const { run, directory } = await withDirectory();
    const made = await run(['backup'], { OFFSITE_URL: `file://${directory}` });
    expect(made).toExitWith(3);
    expect(made.stderr).toContain('is the backup directory itself');
  });

  test('without OFFSITE_URL there is nothing to copy to, or to fetch from', async () => {
    const { run } = await withDirectory();
    for (const args of [['copy'], ['list', '--offsite'], ['restore', '--from-offsite', '--yes']]) {
      const ending = await run(args, { OFFSITE_URL: '' });
      expect(ending).toExitWith(2);
      expect(ending.stderr).toContain('OFFSITE_URL is not set');
    }
  });

  test('a newer copy that no key opens is told, and no older one taken in its place', async () => {
    const { run, nas, database } = await withDirectory2();
    expect(await run(['backup'])).toExitWith(0);
    const keys = await ageKeys();
    expect(await run(['backup'], keys.toEncrypt)).toExitWith(0);
    const fresh = await installation(database);
    const env = { OFFSITE_URL: `file://${nas}` };
    const refused = await fresh.run(['restore', '--from-offsite', '--yes'], { env });
    expect(refused).toExitWith(2);
    expect(refused.stderr).toMatch(
      /the newest copy, pratiko_backup_\S+\.age, cannot be opened: .* or take the older one: `pratiko-backup restore --from-offsite pratiko_backup_\S+\.sql\.gz/,
    );
    expect(await dumpsIn(fresh.directory)).toEqual([]);
    const opened = await fresh.run(['restore', '--from-offsite', '--yes'], {
      env: { ...env, ...keys.toDecrypt },
    });
    expect(opened).toExitWith(0);
  });

  test('an encrypted backup of an old key goes without its manifest, and is fetched all the same', async () => {
    const { run, nas, directory, database } = await withDirectory2();
    const keys = await ageKeys();
    expect(await run(['backup'], { ...keys.toEncrypt, OFFSITE_URL: '' })).toExitWith(0);
    const copied = await run(['copy']);
    expect(copied).toExitWith(0);
    expect(copied.stderr).toContain('is copied without its manifest');
    const [name = ''] = await dumpsIn(directory);
    expect(await filesIn(nas)).toEqual([name]);
    const fresh = await installation(database);
    const env = { OFFSITE_URL: `file://${nas}`, ...keys.toDecrypt };
    const restored = await fresh.run(['restore', '--from-offsite', '--yes'], { env });
    expect(restored).toExitWith(0);
    expect(restored.stderr).toContain('no manifest tells which backup');
  });
});

const hasRclone = isAvailable('rclone', ['version'], 'without rclone, copies by it are not tested');

describe.skipIf(!hasRclone)('rclone:REMOTE:PATH', () => {
  async function withRemote() {
    const tool = await installation(await temporaryDatabase(rows));
    const directory = await temporaryDirectory();
    const env = { OFFSITE_URL: `rclone:nas:${directory}/deep`, RCLONE_CONFIG_NAS_TYPE: 'local' };
    const run = (args: string[]) => tool.run(args, { env: { ...env, HOME: directory } });
    return { ...tool, nas: join(directory, 'deep'), run };
  }

  test('copies are confirmed by the checksum of the remote, and fetched back', async () => {
    const { run, nas, directory } = await withRemote();
    expect(await run(['backup'])).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    expect(await dumpsIn(nas)).toEqual([name]);
    expect((await run(['doctor'])).stdout).toContain(
      'takes files, gives them back, and removes them',
    );
    await rm(directory, { recursive: true });
    await import('node:fs/promises').then(({ mkdir }) => mkdir(directory));
    expect((await run(['verify', '--from-offsite'])).stdout).toContain('good:');
  });

  test('what is there is not written over', async () => {
    const { run, nas, directory } = await withRemote();
    expect(await run(['backup'])).toExitWith(0);
    const [name = ''] = await dumpsIn(directory);
    await writeFile(join(nas, name), 'of somebody else');
    const copied = await run(['copy']);
    expect(copied).toExitWith(3);
    expect(copied.stderr).toContain('is not this file');
    expect(await readFile(join(nas, name), 'utf8')).toBe('of somebody else');
  });

  test('a remote that is not set up', async () => {
    const tool = await installation(await temporaryDatabase(rows));
    const env = { OFFSITE_URL: 'rclone:nobody:x', HOME: await temporaryDirectory() };
    const made = await tool.run(['backup'], { env });
    expect(made).toExitWith(3);
    expect(made.stderr).toContain('rclone failed with nobody:x');
    expect(made.stderr).toContain('rclone lsf nobody:x');
  });
});
