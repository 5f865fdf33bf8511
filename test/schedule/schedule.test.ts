import { readFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { scheduleResult } from '../../src/cli/status-results.ts';
import { isAvailable } from '../support/available.ts';
import { checkout } from '../support/checkout.ts';
import { runTool, temporaryDirectory, toolEnvironment } from '../support/cli.ts';
import { ageKeys } from '../support/keys.ts';
import { temporaryDatabase } from '../support/server.ts';

/** Whose crontab the tests write: nobody works as this user. */
const daemon = 1;
const isRoot = process.getuid?.() === 0;
const hasCron =
  isRoot &&
  isAvailable(
    'sh',
    ['-c', 'command -v crontab && command -v cron'],
    'no cron: schedule is not tested with it',
  );
const hasSystemd = isAvailable(
  'systemd-analyze',
  ['--version'],
  'no systemd: its units are not checked',
);

const crontab = (args: readonly string[], input = '') =>
  execa('crontab', args, {
    uid: daemon,
    gid: daemon,
    input,
    reject: false,
    stripFinalNewline: false,
  });

async function scheduled(settings: Readonly<Record<string, string>> = {}) {
  await crontab(['-r']);
  onTestFinished(async () => {
    await crontab(['-r']);
  });
  return checkout(settings, daemon);
}

describe.runIf(hasCron)('in a real crontab', { concurrent: false }, () => {
  test('its lines come, change and go; every other byte stays', async () => {
    const { run, script } = await scheduled();
    const others = '# mine\nMAILTO=""\n\n5 4 * * * /bin/true  # so così\n';
    expect((await crontab(['-'], others)).exitCode).toBe(0);

    const printed = await run(['schedule']);
    expect((await crontab(['-l'])).stdout).toBe(others);
    const installed = await run(['schedule', '--install']);
    expect(installed.stderr).toContain('put into your crontab');
    expect(installed.stdout).toBe(printed.stdout);
    expect((await crontab(['-l'])).stdout).toBe(`${others}${printed.stdout}\n`);

    const again = await run(['schedule', '--install']);
    expect(again.stderr).toContain('nothing to do');
    const changed = await run([
      'schedule',
      '--install',
      '--time',
      '03:30',
      '--monthly-drill',
      '--json',
    ]);
    expect(scheduleResult.parse(JSON.parse(changed.stdout))).toMatchObject({
      installed: true,
      changed: true,
      lines: [
        expect.stringMatching(/^30 3 \* \* \* /),
        expect.stringMatching(/^0 5 1 \* \* /),
      ] as unknown,
    });
    const later = await run(['schedule', '--install', '--time', '04:00']);
    expect(later.stdout).toContain('verify --restore'); // a drill that is there stays
    const without = await run(['schedule', '--install', '--no-monthly-drill']);
    expect(without.stdout).not.toContain('verify --restore');
    await run(['schedule', '--install', '--monthly-drill']);
    const shown = await run(['schedule', '--show']);
    expect(shown.stdout.split('\n')).toHaveLength(2);
    expect(shown.stdout).toContain(script.replaceAll('%', String.raw`\%`));

    expect(await run(['schedule', '--remove'])).toExitWith(0);
    expect((await crontab(['-l'])).stdout).toBe(others);
    expect((await run(['schedule', '--show'])).stdout).toContain('nothing is scheduled');
    expect((await run(['schedule', '--remove'])).stderr).toContain('nothing to do');
  });

  test(
    'cron runs it at its time: there is a backup, and its log',
    { timeout: 200_000 },
    async () => {
      const database = await temporaryDatabase('CREATE TABLE t AS SELECT generate_series(1, 10);');
      const { PATH: _, BACKUP_DIR: __, ...settings } = toolEnvironment(database, '');
      const { run, directory } = await scheduled(settings);
      const soon = new Date(Date.now() + 90_000);
      const time = `${soon.getHours()}:${String(soon.getMinutes()).padStart(2, '0')}`;
      expect(await run(['schedule', '--install', '--time', time])).toExitWith(0);
      // Where it runs already, it sees no change within the second in which it has looked last.
      const running = execa('cron', ['-f', '-L', '0'], { reject: false });
      onTestFinished(() => void running.kill('SIGTERM'));

      await vi.waitFor(
        async () => {
          const log = await readFile(join(directory, 'logs/backup.log'), 'utf8');
          expect(log).toContain('is good: 1 table, 10 rows');
        },
        { timeout: 150_000, interval: 1000 },
      );
      expect(await run(['verify'])).toExitWith(0);
    },
  );
});

test('what would keep the lines from working is told before they are installed', async () => {
  const { directory, script } = await checkout({});
  await rm(join(directory, 'logs'), { recursive: true, force: true });
  const { BACKUP_AGE_RECIPIENT } = (await ageKeys()).toEncrypt;
  for (const how of [[], ['--systemd']]) {
    const args = [script, 'schedule', '--monthly-drill', ...how];
    const { stderr, exitCode } = await execa(process.execPath, args, {
      env: { PATH: '/nowhere', BACKUP_AGE_RECIPIENT },
      extendEnv: false,
    });
    expect(stderr).toContain(
      `there is no ${join(directory, 'logs')}: without it nothing is started`,
    );
    expect(stderr).toContain(
      'the drill cannot open encrypted backups: there is no private key here',
    );
    expect(exitCode).toBe(0);
  }
});

describe('without cron', () => {
  test('an error says what to install, or what else there is', async () => {
    const { stderr, exitCode } = await runTool(['schedule', '--install'], {
      env: { PATH: '/nowhere' },
    });
    expect(stderr).toContain('there is no crontab on this machine');
    expect(stderr).toContain('schedule --systemd');
    expect(exitCode).toBe(12);
  });

  test('a crontab that may not be read or written is an error, and nothing is lost', async () => {
    const directory = await temporaryDirectory();
    await writeFile(
      join(directory, 'crontab'),
      '#!/bin/sh\n[ "$1" = -l ] && echo "MAILTO=x" && exit\necho "not allowed" >&2; exit 1\n',
      { mode: 0o755 },
    );
    const { script } = await checkout({});
    const refused = await execa(process.execPath, [script, 'schedule', '--install'], {
      env: { PATH: `${directory}:/usr/bin:/bin` },
      extendEnv: false,
      reject: false,
    });
    expect(refused.stderr).toContain('crontab cannot be written: not allowed');
    expect(refused.exitCode).toBe(14);
  });

  test('a crontab that forgets what is written, a path with a line break, a log that has no place', async () => {
    const directory = await temporaryDirectory();
    await writeFile(
      join(directory, 'crontab'),
      '#!/bin/sh\n[ "$1" = -l ] && echo "MAILTO=x"\nexit 0\n',
      {
        mode: 0o755,
      },
    );
    const { run, directory: project } = await checkout({});
    const env = { PATH: `${directory}:/usr/bin:/bin` };
    const forgotten = await run(['schedule', '--install'], { env });
    expect(forgotten.stderr).toContain('the crontab is not what was written');
    expect(forgotten).toExitWith(14);
    const settings = join(directory, 'two\nlines');
    await writeFile(settings, '');
    const odd = await run(['schedule', '--config', settings], { env });
    expect(odd.stderr).toContain('a line of a crontab cannot hold the path');
    expect(odd).toExitWith(2);
    await rm(join(project, 'logs'), { recursive: true, force: true });
    await writeFile(join(project, 'logs'), '');
    const noPlace = await run(['schedule', '--install'], { env });
    expect(noPlace.stderr).toContain(`cannot create ${join(project, 'logs')}`);
    expect(noPlace).toExitWith(14);
  });

  test.each([
    ['--time', '25:00'],
    ['--time', 'noon'],
    ['--install', '--remove'],
    ['--show', '--systemd'],
  ])('%s %s is refused', async (...args) => {
    expect(await runTool(['schedule', ...args], { env: {} })).toExitWith(2);
  });

  test('settings of the environment, which cron does not have, are told', async () => {
    const { stderr } = await runTool(['schedule'], { env: { DB_NAME: 'aifinance_test' } });
    expect(stderr).toContain('WARN: cron will not have what is set in this environment: DB_NAME');
  });
});

test.runIf(hasSystemd)('the units of systemd are right in its own eyes', async () => {
  const { run } = await checkout({});
  const { stdout } = await run([
    'schedule',
    '--systemd',
    '--monthly-drill',
    '--time',
    '4:05',
    '--json',
  ]);
  const { units = [] } = scheduleResult.parse(JSON.parse(stdout));
  expect(units.map(({ name }) => name)).toEqual([
    'pratiko-backup.service',
    'pratiko-backup.timer',
    'pratiko-backup-drill.service',
    'pratiko-backup-drill.timer',
  ]);
  const directory = join(await temporaryDirectory(), 'units');
  await mkdir(directory);
  for (const { name, text } of units) await writeFile(join(directory, name), text);
  const paths = units.map(({ name }) => join(directory, name));
  const checked = await execa('systemd-analyze', ['verify', '--man=no', ...paths], {
    reject: false,
  });
  expect(checked.stderr).not.toContain('pratiko');
  const next = await execa('systemd-analyze', ['calendar', '*-*-* 04:05:00']);
  expect(next.stdout).toContain('04:05:00');
});
