import { execFileSync } from 'node:child_process';
import {
  chmod,
  copyFile,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { installation, temporaryDirectory } from '../support/cli.ts';
import { sql } from '../support/server.ts';
import { canMount } from '../support/small-disk.ts';

const rows = 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;';

/** A backup with its copy, and a machine that has nothing yet. */
async function copied(text?: string) {
  const made = await backedUp(text);
  const nas = await temporaryDirectory();
  const OFFSITE_URL = `file://${nas}`;
  expect(await made.run(['copy'], { env: { OFFSITE_URL } })).toExitWith(0);
  const fresh = await installation(made.database);
  const run = (args: readonly string[], env = {}) =>
    fresh.run(args, { env: { OFFSITE_URL, ...env } });
  const stamp = made.name.slice('pratiko_backup_'.length, -'.sql.gz'.length);
  return { ...made, nas, stamp, fresh: { ...fresh, run } };
}

describe('what is asked for is not clear', () => {
  test('two backups at once, a URL that is none of a backup, no place at all', async () => {
    const { fresh, nas, name } = await copied();
    const two = await fresh.run(['restore', name, '--from-offsite', name, '--yes']);
    expect(two).toExitWith(2);
    expect(two.stderr).toContain('give one backup, not two');
    const none = await fresh.run(['restore', `file://${nas}/notes.txt`, '--yes']);
    expect(none).toExitWith(2);
    expect(none.stderr).toContain('that is not the URL of a backup');
    const nowhere = await fresh.run(['restore', '--from-offsite', '--yes'], { OFFSITE_URL: '' });
    expect(nowhere).toExitWith(2);
    expect(nowhere.stderr).toContain('OFFSITE_URL is not set');
    const listed = await fresh.run(['list', '--offsite'], { OFFSITE_URL: '' });
    expect(listed).toExitWith(2);
    expect(listed.stderr).toContain('OFFSITE_URL is not set');
    const one = await fresh.run(['list', name, '--offsite']);
    expect(one).toExitWith(2);
    expect(one.stderr).toContain('--offsite asks for all copies, not for one');
    const encoded = await fresh.run(['copy'], { OFFSITE_URL: 'file:///a%2Fb' });
    expect(encoded).toExitWith(3);
    expect(encoded.stderr).toContain('a space in it is %20');
  });

  test('the beginning of several names', async () => {
    const { fresh, nas, name, stamp } = await copied();
    const day = stamp.slice(0, 8);
    await copyFile(join(nas, name), join(nas, `pratiko_backup_${day}_000000.sql.gz`));
    const { stderr, exitCode } = await fresh.run(['verify', '--from-offsite', day]);
    expect(stderr).toContain(`2 copies begin with ${day}`);
    expect(stderr).toContain(`give the whole name: `);
    expect(exitCode).toBe(10);
    const whole = await fresh.run(['verify', '--from-offsite', stamp]);
    expect(whole.stdout).toContain('good');
    const missing = await fresh.run(['verify', '--from-offsite', '19991231']);
    expect(missing).toExitWith(10);
    expect(missing.stderr).toContain('there is no backup 19991231 at file://');
  });
});

test('a machine that has no backups, but knows where copies are, says how to take one', async () => {
  const { fresh, nas, stamp } = await copied();
  const latest = await fresh.run(['restore', '--yes']);
  expect(latest).toExitWith(10);
  expect(latest.stderr).toContain(`--from-offsite takes it from the copies (file://${nas})`);
  const named = await fresh.run(['restore', stamp, '--yes']);
  expect(named.stderr).toContain(`--from-offsite ${stamp} takes it from the copies`);
  expect(await fresh.run(['restore', '--from-offsite', stamp, '--yes'])).toExitWith(0);
});

describe('the newest copy', () => {
  test('is that of another database where there is none of this one, and it is said', async () => {
    const { fresh } = await copied();
    const { stderr, stdout } = await fresh.run(['verify', '--from-offsite'], {
      POSTGRES_DB: 'nobodys',
    });
    expect(stderr).toContain('there is no copy of this database: taking the newest of another');
    expect(stdout).toContain('good');
  });

  test('is taken without a manifest where none tells more, and it is said', async () => {
    const { fresh, nas, name } = await copied();
    await rm(join(nas, name.replace('.sql.gz', '.manifest.json')));
    const { stderr, stdout } = await fresh.run(['verify', '--from-offsite']);
    expect(stderr).toContain('no manifest tells which backup is good: taking the newest');
    expect(stdout).toContain('good');
  });
});

test('an older copy that holds what the newest lacks is told, in the list and before a restore', async () => {
  const { nas, name, run, database, fresh } = await copied(rows);
  await sql(database, 'TRUNCATE t;');
  const OFFSITE_URL = `file://${nas}`;
  for (const _ of [1, 2]) {
    expect(await run(['backup'], { env: { OFFSITE_URL } })).toExitWith(0);
  }
  const here = await run(['list']);
  expect(here.stdout.match(/verified, LOOK/g)).toHaveLength(2);
  expect(here.stdout).toMatch(/^LOOK at pratiko_backup_\S+ and 1 more: .* has 0 rows/m);
  const listed = await fresh.run(['list', '--offsite']);
  expect(listed.stdout.match(/ 0 rows {2}only there, LOOK/g)).toHaveLength(2);
  expect(listed.stdout).toMatch(/ 1,000 rows {2}only there +pratiko_backup/);
  expect(listed.stdout).toMatch(new RegExp(`^LOOK at .* and 1 more: .*${name}`, 'm'));
  const plan = await fresh.run(['restore', '--from-offsite', '--dry-run']);
  expect(plan.stderr).toContain(`an older backup holds much more: ${name} has 1,000 rows`);
  const command = `pratiko-backup restore file://${nas}/${name} --to NEW_DATABASE`;
  expect(plan.stderr).toContain(command);
});

test('a copy that was cut is damaged, not good because the backup is here', async () => {
  const { nas, name, run } = await copied(rows);
  const there = join(nas, name);
  const env = { OFFSITE_URL: `file://${nas}` };
  expect((await run(['verify', '--from-offsite', name], { env })).stderr).toContain(
    `what file://${nas} has of ${name} is what was copied`,
  );
  const bytes = await readFile(there);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  await writeFile(there, bytes);
  for (const args of [['--from-offsite', name], [`file://${there}`]]) {
    const changed = await run(['verify', ...args], { env });
    expect(changed.stderr).toContain(`what file://${nas} has of ${name} is not what was copied`);
    expect(changed).toExitWith(21);
  }
  await truncate(there, 100);
  const cut = await run(['verify', '--from-offsite', name], { env });
  expect(cut.stderr).toContain('is not what was copied');
  expect(cut).toExitWith(21);
  expect((await run(['list', '--offsite'], { env })).stdout).toContain('here, too, DAMAGED');
  expect(await run(['verify', name], { env })).toExitWith(0);
  // The copy is not mended, for nothing there is written over: that it is missing is known from then on.
  expect(await run(['copy'], { env })).toExitWith(3);
  const status = await run(['status'], { env });
  expect(status.stdout).toContain(`1 backup not copied to file://${nas}`);
  expect(status).toExitWith(3);
  expect((await run(['list'], { env })).stdout).toContain('0 of 1');
  // What is damaged there is no reason to move it there.
  const elsewhere = await run(['verify', there], { env });
  expect(elsewhere.stderr).toContain('`pratiko-backup verify ');
  expect(elsewhere.stderr).not.toContain('mv ');
});

test('of two places, the copy at the first is the one that is read', async () => {
  const { nas, name, run } = await copied(rows);
  const other = await temporaryDirectory();
  const env = { OFFSITE_URL: `file://${nas} file://${other}` };
  expect(await run(['copy'], { env })).toExitWith(0);
  const bytes = await readFile(join(nas, name));
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(join(nas, name), bytes);
  expect(await run(['verify', '--from-offsite', name], { env })).toExitWith(21);
  expect(await run(['verify', `file://${join(other, name)}`], { env })).toExitWith(0);
});

describe('a place that is the backup directory itself, by another way', () => {
  test('rclone on this machine', async () => {
    const { run, directory, env } = await backedUp();
    const HOME = await temporaryDirectory();
    const offsite = {
      OFFSITE_URL: `rclone:here:${directory}`,
      RCLONE_CONFIG_HERE_TYPE: 'local',
      HOME,
    };
    for (const command of ['copy', 'prune']) {
      const refused = await run([command], { env: { ...env, ...offsite } });
      expect(refused.stderr).toContain('is the backup directory itself: no copies can be there');
      expect(refused).toExitWith(3);
    }
    const { stdout } = await run(['doctor'], { env: offsite });
    expect(stdout).toMatch(/FAILED +copies +.* is the backup directory itself/);
  });

  test.runIf(canMount)('a directory that is mounted in two places', async () => {
    const { run, directory } = await backedUp();
    const other = await temporaryDirectory();
    execFileSync('mount', ['--bind', directory, other]);
    onTestFinished(() => void execFileSync('umount', [other]));
    const refused = await run(['copy'], { env: { OFFSITE_URL: `file://${other}` } });
    expect(refused.stderr).toContain('is the backup directory itself: no copies can be there');
    expect(refused).toExitWith(3);
  });
});

describe('a file of the same name is here', () => {
  test('the same: nothing is fetched; another one: it stays, and the way out is told', async () => {
    const { fresh, run, nas, name, path } = await copied();
    const OFFSITE_URL = `file://${nas}`;
    const same = await run(['verify', '--from-offsite'], { env: { OFFSITE_URL } });
    expect(same.stderr).toContain('already');
    await rm(path);
    await writeFile(path, 'somebody else');
    const { stderr, exitCode } = await run(['verify', '--from-offsite', name], {
      env: { OFFSITE_URL },
    });
    expect(stderr).toContain('is another file than its copy');
    expect(stderr).toContain(`move this file away: mv ${path} ${path}.other`);
    expect(exitCode).toBe(14);
    await rename(path, `${path}.other`);
    expect(await run(['verify', '--from-offsite', name], { env: { OFFSITE_URL } })).toExitWith(0);
    expect((await readdir(fresh.directory)).length).toBe(0);
  });
});

describe('a place that cannot be asked', () => {
  test('list says so beside what is known, prune has done what it could', async () => {
    const { run, nas, name } = await copied();
    const OFFSITE_URL = `file://${nas}/gone file://${nas}`;
    const listed = await run(['list', '--offsite'], { env: { OFFSITE_URL } });
    expect(listed.stdout).toContain(`copies at file://${nas}/gone: not known, `);
    expect(listed.stdout).toContain(name.slice('pratiko_backup_'.length, -'.sql.gz'.length));
    const pruned = await run(['prune'], { env: { OFFSITE_URL } });
    expect(pruned.stdout).toContain(`copies at file://${nas}\n`);
    expect(pruned).toExitWith(3);
    expect(pruned.stderr).toContain('copies could not be pruned: ');
    expect(pruned.stdout).toContain('removed 0 of 1 backup');
  });

  test('rclone is not installed, or its remote is not set up', async () => {
    const { run, env } = await backedUp();
    const empty = await temporaryDirectory();
    const OFFSITE_URL = 'rclone:nowhere:backups';
    const missing = await run(['copy'], { env: { ...env, OFFSITE_URL, PATH: empty } });
    expect(missing).toExitWith(3);
    expect(missing.stderr).toContain('rclone cannot be started');
    expect(missing.stderr).toContain('sudo apt-get install rclone');
    const failing = join(empty, 'rclone');
    await writeFile(
      failing,
      '#!/bin/sh\necho "2026/11/26 19:00:00 NOTICE: Config file not found" >&2\necho "2026/11/26 19:00:00 ERROR : didn\'t find section in config file" >&2\nexit 1\n',
    );
    await chmod(failing, 0o755);
    const unknown = await run(['copy'], { env: { OFFSITE_URL, PATH: `${empty}:/usr/bin:/bin` } });
    expect(unknown).toExitWith(3);
    expect(unknown.stderr).toContain("rclone failed with nowhere:backups: didn't find section");
    expect(unknown.stderr).toContain('rclone lsf nowhere:backups');
  });

  test('S3 without credentials, without a region, at an address that is none', async () => {
    const { run } = await backedUp();
    const base = { OFFSITE_URL: 's3://bucket/prefix', AWS_EC2_METADATA_DISABLED: 'true' };
    const bare = await run(['copy'], { env: { ...base, AWS_REGION: 'eu-south-1' } });
    expect(bare.stderr).toContain('s3://bucket/prefix: there are no credentials');
    expect(bare.stderr).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
    expect(bare).toExitWith(3);
    const key = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
    const lost = await run(['copy'], { env: { ...base, ...key } });
    expect(lost.stderr).toContain('its region is not known; hint: set AWS_REGION');
    expect(lost).toExitWith(3);
    const odd = await run(['copy'], { env: { ...base, ...key, AWS_ENDPOINT_URL: 'no url' } });
    expect(odd.stderr).toContain('AWS_ENDPOINT_URL is no URL');
    expect(odd).toExitWith(3);
  });
});
