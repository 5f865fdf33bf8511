import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRetention, type RetentionPolicy } from '../../src/retention/policy.ts';
import type { Candidate } from '../../src/retention/candidate.ts';

const today = 20_000;

/** A good backup so many days ago; the newest is the latest. */
const backup = (age: number, changes: Partial<Candidate> = {}): Candidate => ({
  name: `day ${today - age}`,
  madeAt: new Date((today - age) * 86_400_000),
  day: today - age,
  database: 'aifinance',
  knownGood: true,
  isBad: false,
  isLatest: age === 0,
  isFuture: age < 0,
  ...changes,
});

/** The ages of what remains of good backups of these ages, oldest first. */
const remaining = (backups: readonly Candidate[], policy: RetentionPolicy) =>
  planRetention(backups, policy)
    .filter(({ action }) => action === 'keep')
    .map(({ backup: { day } }) => today - day);

const ages = (...list: number[]) =>
  list.map((age, index) => backup(age, { name: `day ${today - age} ${index}` }));
/** Without weeks, months and years. */
const plain = { weeks: 0, months: 0, years: 0, suspiciousDrop: 50 };
const week = { ...plain, days: 7, keepMin: 3 };

describe('with one backup a day', () => {
  test('exactly as many remain as days are kept', () => {
    const backups = ages(9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    expect(remaining(backups, week)).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(remaining(backups, { ...plain, days: 1, keepMin: 1 })).toEqual([0]);
  });

  test('the reasons are told', () => {
    expect(planRetention(ages(9, 6, 5, 1, 0), week).map(({ reason }) => reason)).toEqual([
      '9 days before the newest good backup, 3 newer ones are good',
      '6 days before the newest good backup, within 7 days',
      '5 days before the newest good backup, within 7 days',
      '1 day before the newest good backup, within 7 days',
      'latest points to it',
    ]);
  });
});

test('several backups on one day are of one age', () => {
  expect(remaining(ages(8, 8, 7, 7, 6, 6, 0, 0, 0), week)).toEqual([6, 6, 0, 0, 0]);
});

test('fewer good backups than the minimum keep everything', () => {
  expect(remaining(ages(40, 30, 0), week)).toEqual([40, 30, 0]);
  const bad = [40, 30, 20, 10, 5].map((age) => backup(age, { knownGood: false }));
  expect(remaining([...bad, backup(0)], week)).toEqual([40, 30, 20, 10, 5, 0]);
});

test('the newest good ones remain after a long standstill', () => {
  expect(remaining(ages(60, 50, 40, 30), week)).toEqual([50, 40, 30]);
  expect(remaining(ages(43, 42, 41, 40, 1, 0), week)).toEqual([40, 1, 0]);
});

test('bad ones do not count as good, and go like any other', () => {
  const backups = [
    backup(30),
    backup(20),
    backup(10),
    backup(9, { knownGood: false }),
    backup(1),
    backup(0),
  ];
  expect(remaining(backups, week)).toEqual([10, 9, 1, 0]);
});

test('what is dated in the future neither goes nor counts', () => {
  expect(remaining(ages(30, 20, 10, -400, -401), week)).toEqual([30, 20, 10, -400, -401]);
});

test('the one that latest points to stays, however old', () => {
  const backups = [
    backup(90, { isLatest: true }),
    ...ages(2, 1).map((b) => ({ ...b })),
    backup(0, { isLatest: false }),
  ];
  expect(remaining(backups, week)).toContain(90);
});

test('each database has its own good backups', () => {
  const other = ages(3, 2, 1, 0).map((b) => ({ ...b, database: 'aifinance_test' }));
  expect(remaining([...ages(12, 11, 10), ...other], week)).toEqual([12, 11, 10, 3, 2, 1, 0]);
});

describe('a clock that leaps a year ahead', () => {
  const daily = ages(372, 371, 370, 369, 368, 367, 366);

  test('for one backup removes no more than the next day would', () => {
    const decisions = planRetention([...daily, backup(0)], week);
    expect(decisions.map(({ action }) => action)).toEqual([
      'remove',
      ...Array<string>(7).fill('keep'),
    ]);
    expect(decisions[1]?.reason).toBe(
      '371 days before the newest good backup, but no second backup confirms yet that the clock has not jumped',
    );
  });

  test('is believed when a second backup confirms it', () => {
    expect(remaining([...daily, backup(0), backup(0)], week)).toEqual([366, 0, 0]);
  });
});

describe('backups of a database that has lost rows', () => {
  const table = (name: string, rows: number) => ({ table: name, rows });
  const of = (age: number, ...tables: ReturnType<typeof table>[]) => backup(age, { tables });
  const reasonFor = (backups: readonly Candidate[], age: number) =>
    planRetention(backups, week).find(({ backup: { day } }) => day === today - age);

  test('the newest that holds it stays, however old, and its reason is told', () => {
    const emptied = Array.from({ length: 20 }, (_, age) => of(age, table('public.t', 0)));
    const backups = [of(22, table('public.t', 9)), of(21, table('public.t', 107_705)), ...emptied];
    expect(remaining(backups, week)).toEqual([21, 6, 5, 4, 3, 2, 1, 0]);
    expect(reasonFor(backups, 21)?.reason).toBe(
      'holds what was lost since (until `prune --accept-loss`): the newest backup holds 0 rows; this one held 107,705: public.t has 0 rows (107,705 in this one)',
    );
  });

  test.each([
    ['emptied', [table('logs', 1_000_000), table('documents', 0)]],
    ['gone', [table('logs', 1_000_000)]],
    ['less than half there', [table('logs', 1_000_000), table('documents', 15)]],
  ])('one table %s in a database full of logs counts', (_, now) => {
    const then = of(30, table('logs', 900_000), table('documents', 31));
    const backups = [then, of(3, ...now), of(2, ...now), of(1, ...now), of(0, ...now)];
    expect(remaining(backups, week)).toEqual([30, 3, 2, 1, 0]);
  });

  test('losses one after the other are each held', () => {
    const [a, b] = [table('a', 50), table('b', 50)];
    const backups = [of(40, a, b), of(30, b), of(3), of(2), of(1), of(0)];
    expect(remaining(backups, week)).toEqual([40, 30, 3, 2, 1, 0]);
  });

  test('one that is not good does not stand in for an older one that is', () => {
    const full = [table('a', 50)];
    const bad = backup(30, { tables: full, knownGood: false });
    expect(remaining([of(40, ...full), bad, of(3), of(2), of(1), of(0)], week)).toEqual([
      40, 30, 3, 2, 1, 0,
    ]);
  });

  test('daily work is no loss', () => {
    const backups = [5, 4, 3, 3].map((rows, index) => of(30 - index * 10, table('jobs', rows)));
    expect(remaining(backups, { ...plain, days: 1, keepMin: 1 })).toEqual([0]);
  });
});

describe('whatever backups there are', () => {
  const candidates = fc
    .array(fc.record({ age: fc.integer({ min: -5, max: 60 }), knownGood: fc.boolean() }), {
      maxLength: 40,
    })
    .map((list) =>
      list
        .toSorted((a, b) => b.age - a.age)
        .map(({ age, knownGood }, index) =>
          backup(age, {
            knownGood,
            name: `day ${today - age} ${String(index).padStart(2, '0')}`,
            isLatest: false,
          }),
        ),
    );
  const policies = fc.record({
    weeks: fc.integer({ min: 0, max: 6 }),
    months: fc.integer({ min: 0, max: 3 }),
    years: fc.integer({ min: 0, max: 2 }),
    suspiciousDrop: fc.constant(50),
    days: fc.integer({ min: 1, max: 30 }),
    keepMin: fc.integer({ min: 1, max: 8 }),
  });

  const kept = (backups: Candidate[], policy: RetentionPolicy) =>
    planRetention(backups, policy)
      .filter(({ action }) => action === 'keep')
      .map((decision) => decision.backup);
  const isGood = (candidate: Candidate) => candidate.knownGood && !candidate.isFuture;

  test('the minimum of good ones remains, or all there are', () => {
    fc.assert(
      fc.property(candidates, policies, (backups, policy) => {
        const goodBefore = backups.filter(isGood).length;
        const goodAfter = kept(backups, policy).filter(isGood).length;
        expect(goodAfter).toBeGreaterThanOrEqual(Math.min(goodBefore, policy.keepMin));
        if (backups.length > 0) expect(kept(backups, policy).length).toBeGreaterThan(0);
      }),
    );
  });

  const stories = fc.array(
    fc.record({
      a: fc.integer({ min: 0, max: 99 }),
      b: fc.option(fc.integer({ min: 0, max: 99 })),
    }),
    { minLength: 1, maxLength: 30 },
  );

  test('of every table, and of all, much that was held is held still', () => {
    fc.assert(
      fc.property(stories, policies, (days, policy) => {
        const backups = days.map(({ a, b }, index) => {
          const tables = [
            { table: 'a', rows: a },
            ...(b === null ? [] : [{ table: 'b', rows: b }]),
          ];
          return backup(days.length - 1 - index, { tables });
        });
        const rows = ({ tables = [] }: Candidate, name?: string) =>
          tables.filter(({ table }) => !name || table === name).reduce((n, t) => n + t.rows, 0);
        const [newest] = backups.slice(-1);
        for (const name of ['a', 'b', undefined]) {
          const now = newest === undefined ? 0 : rows(newest, name);
          const isMore = (other: Candidate) =>
            rows(other, name) > 2 * now && (now === 0 || rows(other, name) - now >= 10);
          const fullest = backups.filter(isMore).at(-1);
          if (fullest !== undefined) expect(kept(backups, policy)).toContain(fullest);
        }
      }),
    );
  });

  test('their order does not matter', () => {
    fc.assert(
      fc.property(candidates, policies, fc.nat(), (backups, policy, seed) => {
        const shuffled = backups.toSorted((a, b) => hash(a.name, seed) - hash(b.name, seed));
        expect(planRetention(shuffled, policy)).toEqual(planRetention(backups, policy));
      }),
    );
  });

  test('a second run removes nothing', () => {
    fc.assert(
      fc.property(candidates, policies, (backups, policy) => {
        const once = kept(backups, policy);
        expect(kept(once, policy)).toEqual(once);
      }),
    );
  });

  test('a more generous policy keeps all that a stricter one keeps', () => {
    fc.assert(
      fc.property(candidates, policies, fc.nat(9), fc.nat(3), (backups, policy, days, keepMin) => {
        const generous = { ...policy, days: policy.days + days, keepMin: policy.keepMin + keepMin };
        expect(kept(backups, generous)).toEqual(expect.arrayContaining(kept(backups, policy)));
      }),
    );
  });
});

/** A number that depends on all of a text, and on the seed. */
function hash(text: string, seed: number): number {
  return Array.from(text).reduce(
    (sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973,
    seed % 9973,
  );
}
