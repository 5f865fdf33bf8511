import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dayOf, momentOf, parseStamp, type Stamp } from '../../src/backup-directory/names.ts';
import type { Candidate } from '../../src/retention/candidate.ts';
import { planRetention, undecided, type RetentionPolicy } from '../../src/retention/policy.ts';

const stampOf = (text: string): Stamp => {
  const stamp = parseStamp(text);
  if (stamp === undefined) throw new Error(`${text} is no stamp`);
  return stamp;
};

/** A good backup of that time, `20251129_020000`. */
const made = (text: string, changes: Partial<Candidate> = {}): Candidate => ({
  name: text,
  madeAt: momentOf(stampOf(text)),
  day: dayOf(stampOf(text)),
  database: 'aifinance',
  knownGood: true,
  isBad: false,
  isLatest: false,
  isFuture: false,
  ...changes,
});

const policy = (changes: Partial<RetentionPolicy>): RetentionPolicy => ({
  days: 1,
  keepMin: 1,
  weeks: 0,
  months: 0,
  years: 0,
  suspiciousDrop: 50,
  ...changes,
});

const kept = (backups: readonly Candidate[], changes: Partial<RetentionPolicy>) =>
  planRetention(backups, policy(changes))
    .filter(({ action }) => action === 'keep')
    .map(({ backup: { name } }) => name);

const reasons = (backups: readonly Candidate[], changes: Partial<RetentionPolicy>) =>
  planRetention(backups, policy(changes)).map(({ reason }) => reason);

describe('the newest good backup is kept', () => {
  test('of each of the last weeks, which begin on Monday', () => {
    const backups = ['20251123_020000', '20251124_020000', '20251130_020000', '20251201_020000'];
    expect(
      kept(
        backups.map((each) => made(each)),
        { weeks: 2 },
      ),
    ).toEqual(['20251130_020000', '20251201_020000']);
    expect(
      reasons(
        backups.map((each) => made(each)),
        { weeks: 3 },
      ),
    ).toEqual([
      'newest good backup of week 2025-W47',
      '7 days before the newest good backup, 1 newer ones are good',
      'newest good backup of week 2025-W48',
      '0 days before the newest good backup, within 1 day',
    ]);
  });

  test('of the week of the year to which its Thursday belongs', () => {
    const backups = ['20241229_020000', '20241230_020000', '20250105_020000', '20250106_020000'];
    expect(
      reasons(
        backups.map((each) => made(each)),
        { weeks: 9 },
      ),
    ).toEqual([
      'newest good backup of week 2024-W52',
      '7 days before the newest good backup, 1 newer ones are good',
      'newest good backup of week 2025-W01',
      '0 days before the newest good backup, within 1 day',
    ]);
    const longYear = ['20201231_020000', '20210103_020000', '20210104_020000', '20210105_020000'];
    expect(
      reasons(
        longYear.map((each) => made(each)),
        { weeks: 9 },
      )[1],
    ).toBe('newest good backup of week 2020-W53');
  });

  test('of months and years, leap days and the last second of a year among them', () => {
    const backups = [
      '20231231_235959',
      '20240229_020000',
      '20240229_230000',
      '20240301_020000',
      '20241231_020000',
      '20250101_000000',
    ].map((each) => made(each));
    expect(kept(backups, { months: 2 })).toEqual(['20241231_020000', '20250101_000000']);
    expect(kept(backups, { months: 4 })).toEqual([
      '20240229_230000',
      '20240301_020000',
      '20241231_020000',
      '20250101_000000',
    ]);
    expect(reasons(backups, { months: 5, years: 3 })).toEqual([
      'newest good backup of month 2023-12, year 2023',
      '307 days before the newest good backup, 1 newer ones are good',
      'newest good backup of month 2024-02',
      'newest good backup of month 2024-03',
      'newest good backup of month 2024-12, year 2024',
      '0 days before the newest good backup, within 1 day',
    ]);
  });

  test('of months in which there are backups: a standstill costs nothing', () => {
    const backups = ['20240110_020000', '20240210_020000', '20251110_020000', '20251111_020000'];
    expect(
      kept(
        backups.map((each) => made(each)),
        { months: 3 },
      ),
    ).toEqual(['20240110_020000', '20240210_020000', '20251111_020000']);
  });

  test('and a clock that leaps ahead pushes none out', () => {
    const backups = ['20250910_020000', '20251010_020000', '20251110_020000', '20281110_020000'];
    expect(
      kept(
        backups.map((each) => made(each)),
        { months: 3 },
      ),
    ).toEqual(['20250910_020000', '20251010_020000', '20251110_020000', '20281110_020000']);
  });

  test('a bad one is none, and where none is known to be good all stay', () => {
    const bad = { knownGood: false, isBad: true };
    const unread = { knownGood: false };
    const good = made('20251201_020000');
    expect(
      kept([made('20251110_020000'), made('20251120_020000', bad), good], { months: 2 }),
    ).toEqual(['20251110_020000', '20251201_020000']);
    const unsure = [made('20251110_020000', unread), made('20251120_020000', unread), good];
    expect(kept(unsure, { months: 2 })).toEqual(unsure.map(({ name }) => name));
    expect(reasons(unsure, { months: 2 })[0]).toBe(
      'no backup of month 2025-11 is known to be good',
    );
  });
});

test('the hour that comes twice, or never, belongs to its day', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Rome';
  onTestFinished(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  const backups = [
    '20250330_013000',
    '20250330_033000',
    '20251026_023000',
    '20251026_233000',
    '20251027_000000',
  ];
  expect(
    reasons(
      backups.map((each) => made(each)),
      { weeks: 9 },
    ),
  ).toEqual([
    '211 days before the newest good backup, 1 newer ones are good',
    'newest good backup of week 2025-W13',
    '1 day before the newest good backup, 1 newer ones are good',
    'newest good backup of week 2025-W43',
    '0 days before the newest good backup, within 1 day',
  ]);
});

test('of several in a slot, the newest is read before older ones may go; one alone need not be', () => {
  const unread = { knownGood: false };
  const backups = [
    made('20250910_020000', unread),
    made('20251110_020000', unread),
    made('20251120_020000', unread),
    made('20251201_020000'),
  ];
  const isUnread = ({ knownGood }: Candidate) => !knownGood;
  const next = undecided(backups, policy({ months: 3 }), isUnread).map(({ name }) => name);
  expect(next).toEqual(['20251120_020000']);
  expect(undecided(backups, policy({}), isUnread)).toEqual([]);
});

/** ISO 8601 by another way: the week is counted from the one with January 4th. */
function isoWeek(date: Date): string {
  const monday = (of: Date) => of.getTime() - ((of.getUTCDay() + 6) % 7) * 86_400_000;
  const yearFrom = (year: number) => monday(new Date(Date.UTC(year, 0, 4)));
  const near = date.getUTCFullYear();
  const year = [near + 1, near, near - 1].find((each) => yearFrom(each) <= date.getTime()) ?? 0;
  return `week ${year}-W${String((monday(date) - yearFrom(year)) / 604_800_000 + 1).padStart(2, '0')}`;
}

const labels = {
  weeks: isoWeek,
  months: (date: Date) => `month ${date.toISOString().slice(0, 7)}`,
  years: (date: Date) => `year ${date.toISOString().slice(0, 4)}`,
};

test('whatever backups there are: the newest of each slot stays, and nothing else', () => {
  const newest = Date.UTC(2025, 2, 31) / 86_400_000;
  const ages = fc.array(fc.integer({ min: 1, max: 1500 }), { maxLength: 60 });
  const counts = fc.record({
    weeks: fc.nat({ max: 8 }),
    months: fc.nat({ max: 8 }),
    years: fc.nat({ max: 4 }),
  });
  fc.assert(
    fc.property(ages, counts, (list, slots) => {
      const days = [...list, 1, 0].sort((a, b) => b - a).map((age) => newest - age);
      const backups = days.map((day, index) =>
        made('20250101_020000', {
          day,
          name: String(index),
          madeAt: new Date(day * 86_400_000 + index),
        }),
      );
      const wanted = new Set([backups.at(-1)?.name ?? '']);
      for (const [slot, labelOf] of Object.entries(labels)) {
        const byLabel = new Map(
          backups.map((backup) => [labelOf(new Date(backup.day * 86_400_000)), backup.name]),
        );
        const count = slots[slot as keyof typeof slots];
        for (const name of count === 0 ? [] : [...byLabel.values()].slice(-count)) wanted.add(name);
      }
      const today = backups.filter(({ day }) => day === newest).map(({ name }) => name);
      expect(new Set(kept(backups, slots))).toEqual(new Set([...wanted, ...today]));
    }),
  );
});
