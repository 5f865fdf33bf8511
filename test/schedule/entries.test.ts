import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cronLine,
  jobsOf,
  ownLines,
  withLines,
  type Invocation,
} from '../../src/schedule/entries.ts';
import { linesFor, nextBackup } from '../../src/schedule/next-run.ts';

const invocation: Invocation = {
  node: '/usr/bin/node',
  script: '/home/user/pratiko-backup/bin/pratiko-backup.js',
  project: '/home/user/pratiko-backup',
  isCheckout: true,
  options: [],
};

const linesAt = (hour: number, minute: number, monthlyDrill = false) =>
  jobsOf({ hour, minute, monthlyDrill }).map((job) => cronLine(invocation, job));

describe('the lines of a crontab', () => {
  test('have absolute paths, the log, and a mark', () => {
    expect(linesAt(2, 0, true)).toEqual([
      '0 2 * * * /usr/bin/node /home/user/pratiko-backup/bin/pratiko-backup.js backup >> /home/user/pratiko-backup/logs/backup.log 2>&1 # pratiko-backup schedule: /home/user/pratiko-backup/bin/pratiko-backup.js',
      '30 3 1 * * /usr/bin/node /home/user/pratiko-backup/bin/pratiko-backup.js verify --restore >> /home/user/pratiko-backup/logs/backup.log 2>&1 # pratiko-backup schedule: /home/user/pratiko-backup/bin/pratiko-backup.js',
    ]);
    expect(linesAt(23, 30, true)[1]).toMatch(/^0 1 2 \* \* /);
  });

  test('quote what a shell would take apart, and escape what cron would', () => {
    const odd = {
      ...invocation,
      script: "/it's/100%/p.js",
      project: "/it's/100%",
      options: ['--config', '/a b'],
    };
    const [job] = jobsOf({ hour: 2, minute: 0, monthlyDrill: false });
    expect(job && cronLine(odd, job)).toBe(
      String.raw`0 2 * * * /usr/bin/node '/it'\''s/100\%/p.js' --config '/a b' backup >> '/it'\''s/100\%/logs/backup.log' 2>&1 # pratiko-backup schedule: /it's/100\%/p.js --config /a b`,
    );
    expect(job && ownLines(cronLine(odd, job), odd)).toHaveLength(1);
  });

  test('of an installed package begin in its directory', () => {
    const [job] = jobsOf({ hour: 2, minute: 0, monthlyDrill: false });
    expect(job && cronLine({ ...invocation, isCheckout: false, project: '/srv/app' }, job)).toMatch(
      /^0 2 \* \* \* cd \/srv\/app && \/usr\/bin\/node .* >> \/srv\/app\/logs\/backup\.log 2>&1 #/,
    );
  });
});

describe('whatever a crontab holds', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    fc.constantFrom('', 'MAILTO=me', '0 2 * * * /usr/bin/node /other/bin/pratiko-backup.js backup'),
  );
  const crontabs = fc
    .array(line, { maxLength: 6 })
    .map((lines) => lines.map((each) => `${each}\n`).join(''));

  test('installing twice is installing once; removing gives back every other byte', () => {
    fc.assert(
      fc.property(crontabs, fc.nat({ max: 23 }), (before, hour) => {
        const once = withLines(before, invocation, linesAt(hour, 0, true));
        expect(ownLines(once, invocation)).toEqual(linesAt(hour, 0, true));
        expect(withLines(once, invocation, linesAt(hour, 0, true))).toBe(once);
        expect(withLines(once, invocation, [])).toBe(before);
        const other = withLines(once, invocation, linesAt(5, 5));
        expect(withLines(other, invocation, [])).toBe(before);
      }),
    );
  });

  test('lines of another settings file are not ours', () => {
    const other = { ...invocation, options: ['--config', '/etc/other.env'] };
    const both = withLines(withLines('', invocation, linesAt(2, 0)), other, [
      '0 3 * * * x # pratiko-backup schedule: y',
    ]);
    expect(ownLines(both, invocation)).toHaveLength(1);
    expect(ownLines(both, other)).toHaveLength(0);
  });
});

describe('the next run', () => {
  const now = new Date(2025, 10, 29, 12, 0, 0);

  test.each([
    ['0 2 * * *', new Date(2025, 10, 30, 2, 0, 0)],
    ['*/10 * * * *', new Date(2025, 10, 29, 12, 10, 0)],
    ['@daily', new Date(2025, 10, 30, 0, 0, 0)],
    ['15 4 1 * *', new Date(2025, 11, 1, 4, 15, 0)],
    ['0 2 * * 1', new Date(2025, 11, 1, 2, 0, 0)],
  ])('of %s', (when, next) => {
    const crontab = `MAILTO=me\n# 0 1 * * * pratiko-backup backup\n${when} /usr/bin/node /x/bin/pratiko-backup.js backup >> log\n`;
    expect(nextBackup(crontab, now)).toEqual(next);
  });

  test('is unknown where nothing makes a backup, or cron would not understand when', () => {
    for (const crontab of [
      '',
      '0 2 * * * pratiko-backup verify\n',
      '0 2 * * * /usr/bin/backup\n',
      `${linesAt(2, 0, true)[1] ?? ''}\n`,
      '0 2 * * * /x/pratiko-backup prune >> /x/logs/backup.log # and no backup\n',
      '@reboot pratiko-backup backup\n',
      '99 2 * * * pratiko-backup backup\n',
    ]) {
      expect(nextBackup(crontab, now)).toBeUndefined();
    }
    expect(
      linesFor('backup', '0 2 * * * /usr/bin/node /x/pratiko-backup.js backup\n'),
    ).toHaveLength(1);
  });
});
