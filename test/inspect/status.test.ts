import { appendFile, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { statusResult } from '../../src/cli/status-results.ts';
import { formatStamp } from '../../src/backup-directory/names.ts';
import { backedUp } from '../support/backed-up.ts';
import { installation, temporaryDirectory, type Installation } from '../support/cli.ts';
import { fakePgDump } from '../support/fake-tool.ts';
import { launch, untilDumping } from '../support/launch.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { sql } from '../support/server.ts';

const latest = 'pratiko_backup_latest.sql.gz';

/** What status says for programs, and that its exit code says the same. */
async function statusOf({ run }: Pick<Installation, 'run'>, ...args: string[]) {
  const { stdout, exitCode } = await run(['status', '--json', ...args]);
  const status = statusResult.parse(JSON.parse(stdout));
  expect(exitCode).toBe(status.healthy ? 0 : 3);
  return { ...status, reasons: status.problems.map(({ message }) => message).join('\n') };
}

const hour = 3_600_000;

/** Copies the only backup to another age, by its manifest, too; gives the name of the copy. */
async function copyAged(
  made: { readonly directory: string; readonly path: string; readonly manifestPath: string },
  ageMs: number,
): Promise<string> {
  const moment = new Date(Date.now() - ageMs);
  const name = `pratiko_backup_${formatStamp(moment)}`;
  const manifest = await readFile(made.manifestPath, 'utf8');
  const aged = manifest.replace(/"createdAt": "[^"]*"/, `"createdAt": "${moment.toISOString()}"`);
  await writeFile(join(made.directory, `${name}.sql.gz`), await readFile(made.path));
  await writeFile(join(made.directory, `${name}.manifest.json`), aged);
  return `${name}.sql.gz`;
}

/** A database of its own with one good backup. */
const healthy = () => backedUp('CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;');

describe('all is well', () => {
  test('in one glance, with everything there is to know', async () => {
    const made = await healthy();
    await made.run(['verify', '--restore']);
    const { stdout, stderr, exitCode } = await made.run(['status']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^HEALTHY: backups of "test_\w+" in /);
    expect(stdout).toMatch(/last good +\d{4}-\S+ \S+, moments ago, [\d.]+ kB, 1,000 rows\n/);
    expect(stdout).toMatch(/last run .*, done\n/);
    expect(stdout).toMatch(/last drill +moments ago: passed, pratiko_backup_\S+\n/);
    expect(stdout).toMatch(/room .* free, for [\d,]+ more\n/);
    expect(
      stdout
        .split('\n')
        .filter((line) => line.length > 100 && !/kept by|`pratiko-backup/.test(line)),
    ).toEqual([]);
  });

  test('needs no server: what it cannot ask is unknown', async () => {
    const made = await healthy();
    const away = await made.run(['status'], { env: { POSTGRES_PORT: '1' } });
    expect(away).toExitWith(0);
    expect(away.stdout).toContain(
      'what restores have kept on the server is unknown: cannot connect',
    );
    const noCron = await made.run(['status', '--json'], { env: { PATH: '/nowhere' } });
    expect(statusResult.parse(JSON.parse(noCron.stdout)).unknown).toEqual(
      expect.arrayContaining([{ what: 'nextRun', why: 'there is no crontab on this machine' }]),
    );
  });

  test('while a run is at work, and with what a killed one has left', async () => {
    const made = await healthy();
    const fake = await fakePgDump(
      "printf -- '--\\n-- PostgreSQL database dump\\n'; exec sleep 600",
    );
    const running = launch(['backup'], { ...made.env, PG_BIN_DIR: fake });
    await untilDumping(made.directory, 0);
    const during = await made.run(['status']);
    expect(during.stdout).toMatch(/last run .*, started; backup is at work since /);
    expect(during).toExitWith(0);

    running.kill('SIGKILL');
    await running;
    const after = await statusOf(made);
    expect(after.reasons).toContain('the last run was killed');
    expect(after.leftovers).toHaveLength(1);
    expect(await made.run(['backup'])).toExitWith(0);
    expect((await statusOf(made)).healthy).toBe(true);
  });
});

describe('not well, and why', () => {
  test.each([
    [
      'there is no directory',
      async (directory: string) => rm(directory, { recursive: true }),
      'there is no backup',
    ],
    ['there is no backup', async () => Promise.resolve(), 'there is no backup of'],
    [
      'only one of unknown making',
      async (directory: string) =>
        writeFile(join(directory, 'pratiko_backup_20250101_000000.sql.gz'), 'x'),
      'is known to be good',
    ],
    [
      'the directory is a file',
      async (directory: string) => {
        await rm(directory, { recursive: true });
        await writeFile(directory, '');
      },
      'cannot read the backup directory',
    ],
  ])('%s', async (_, prepare, reason) => {
    const made = await installation('aifinance');
    await prepare(made.directory);
    const status = await statusOf(made);
    expect(status.reasons).toContain(reason);
    expect(status.lastGood).toBeNull();
  });

  test('the last good one is too old', async () => {
    const made = await healthy();
    await copyAged(made, 30 * hour);
    for (const path of [made.path, made.manifestPath, join(made.directory, latest)]) await rm(path);
    expect((await statusOf(made)).reasons).toBe(
      'the last good backup is 30 hours old, more than the 26 hours allowed',
    );
    expect((await statusOf(made, '--max-age', '2d')).healthy).toBe(true);
  });

  test('the last run failed, until one succeeds', async () => {
    const made = await healthy();
    const fake = await fakePgDump('echo "pg_dump: error: out of tea" >&2; exit 1');
    expect(await made.run(['backup'], { env: { PG_BIN_DIR: fake } })).toExitWith(20);
    const status = await statusOf(made);
    expect(status.reasons).toMatch(/the last run failed, moments ago: pg_dump failed .*out of tea/);
    expect(status.lastRun?.outcome).toBe('failed');
    expect(await made.run(['backup'])).toExitWith(0);
    expect((await statusOf(made)).healthy).toBe(true);
  });

  test('it was interrupted, or the server was away', async () => {
    const made = await healthy();
    expect(await made.run(['backup'], { env: { POSTGRES_PORT: '1' } })).toExitWith(13);
    expect((await statusOf(made)).reasons).toContain('connection refused');
  });

  test('the backup was damaged since: cut, or changed where only verify sees it', async () => {
    const made = await healthy();
    const bytes = await readFile(made.path);
    await writeFile(made.path, bytes.subarray(0, -10));
    const cut = await statusOf(made);
    expect(cut.reasons).toContain(`${made.name} is damaged`);
    expect(cut.lastGood).toBeNull();

    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 9] = 0xff ^ (bytes.at(-9) ?? 0);
    await writeFile(made.path, flipped);
    expect((await statusOf(made)).healthy).toBe(true); // nobody has read it yet
    expect(await made.run(['verify'])).toExitWith(21);
    expect((await statusOf(made)).reasons).toContain(`${made.name} is damaged`);
    await writeFile(made.path, bytes);
    expect(await made.run(['verify'])).toExitWith(0);
    expect((await statusOf(made)).healthy).toBe(true);
  });

  test('the last drill failed, or could not be tried', async () => {
    const made = await healthy();
    const event = (outcome: string) =>
      appendFile(
        join(made.directory, 'pratiko_backup_history.jsonl'),
        `${JSON.stringify({ at: new Date().toISOString(), event: 'drill', outcome, backup: made.name, place: 'server', durationMs: 1, message: 'a row is missing' })}\n`,
      );
    await event('notProven');
    expect((await statusOf(made)).reasons).toContain('the last drill could not be tried');
    await event('failed');
    const status = await statusOf(made);
    expect(status.reasons).toContain('the last drill failed, moments ago');
    expect(status.lastGood).toBeNull();
    await event('passed');
    expect((await statusOf(made)).healthy).toBe(true);
  });

  test('something was lost, until a person accepts it', async () => {
    const made = await healthy();
    await sql(made.database, 'TRUNCATE t;');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await made.run(['backup'])).toExitWith(0);
    const status = await statusOf(made);
    expect(status.reasons).toContain(
      `data may be lost: the newest backup holds 0 rows; ${made.name} held 1,000: public.t has 0 rows`,
    );
    expect(status.held).toHaveLength(1);
    const { stdout } = await made.run(['status']);
    expect(stdout).toContain('prune --accept-loss');
    expect(stdout).toMatch(/trend +size [▁-█]{2} rows █▁, the last 2 backups/);
    expect(await made.run(['prune', '--accept-loss', '--yes'])).toExitWith(0);
    expect((await statusOf(made)).healthy).toBe(true);
  });

  test('a backup is dated in the future', async () => {
    const made = await healthy();
    const future = await copyAged(made, -48 * hour);
    expect((await statusOf(made)).reasons).toBe(`${future} is dated in the future`);
  });

  test('the link leads nowhere, or to an older backup', async () => {
    const made = await healthy();
    const old = await copyAged(made, 72 * hour);
    for (const [target, reason] of [
      ['pratiko_backup_19990101_000000.sql.gz', 'leads to no backup'],
      [old, 'leads to an older backup'],
    ] as const) {
      await rm(join(made.directory, latest));
      await symlink(target, join(made.directory, latest));
      expect((await statusOf(made)).reasons).toContain(reason);
    }
  });

  test('a history that cannot be read', async () => {
    const made = await healthy();
    const path = join(made.directory, 'pratiko_backup_history.jsonl');
    await rm(path);
    await mkdir(path);
    const status = await statusOf(made);
    expect(status.reasons).toContain('what was done is not known');
    expect(status.unknown.map(({ what }) => what)).toContain('history');
  });

  test.runIf(canMount)('the disk is nearly full', async () => {
    const disk = await smallDisk('size=400k');
    const made = await backedUp(
      'CREATE TABLE t AS SELECT md5(n::text) FROM generate_series(1, 12000) AS n;',
    );
    await cp(made.directory, disk, { recursive: true, verbatimSymlinks: true });
    const { stdout, exitCode } = await made.run(['status'], { env: { BACKUP_DIR: disk } });
    expect(stdout).toContain('the next backup may not fit');
    expect(exitCode).toBe(3);
  });
});

describe('--prometheus', () => {
  test('prints metrics with the database as label', async () => {
    const made = await healthy();
    const { stdout } = await made.run(['status', '--prometheus']);
    const samples = new Map(
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .map((line) => {
          const [, name = '', label = '', value = ''] =
            /^pratiko_backup_(\w+)\{database="([^"]*)"\} (\S+)$/.exec(line) ?? [];
          expect(label).toBe(made.database);
          return [name, Number(value)];
        }),
    );
    expect(samples.get('healthy')).toBe(1);
    expect(samples.get('rows')).toBe(1000);
    expect(samples.get('size_bytes')).toBe((await stat(made.path)).size);
    expect(
      Math.abs((samples.get('last_success_timestamp_seconds') ?? 0) - Date.now() / 1000),
    ).toBeLessThan(60);
    expect(samples.get('duration_seconds')).toBeGreaterThan(0);
    expect(samples.has('last_drill_timestamp_seconds')).toBe(false);
    for (const name of samples.keys())
      expect(stdout).toContain(`# TYPE pratiko_backup_${name} gauge\n`);
    await made.run(['verify', '--restore']);
    expect((await made.run(['status', '--prometheus'])).stdout).toContain(
      'last_drill_timestamp_seconds{',
    );
  });

  test('--output writes them whole, for others to read; without a backup they say that nothing is well', async () => {
    const made = await installation(`o"dd\\ name`);
    const file = join(await temporaryDirectory(), 'pratiko.prom');
    const { stdout, stderr, exitCode } = await made.run([
      'status',
      '--prometheus',
      '--output',
      file,
    ]);
    expect(stdout).toBe('');
    expect(stderr).toContain('not healthy: there is no backup of');
    expect(exitCode).toBe(3);
    expect(await readFile(file, 'utf8')).toBe(
      '# HELP pratiko_backup_healthy Whether all is well: 1, or 0.\n# TYPE pratiko_backup_healthy gauge\npratiko_backup_healthy{database="o\\"dd\\\\ name"} 0\n',
    );
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    const nowhere = await made.run(['status', '--output', '/nowhere/x.prom']);
    expect(nowhere.stderr).toContain('cannot write /nowhere/x.prom');
    expect(nowhere).toExitWith(14);
    expect(await made.run(['status', '--prometheus', '--json'])).toExitWith(2);
    expect(await made.run(['status', '--max-age', 'soon'])).toExitWith(2);
  });
});
