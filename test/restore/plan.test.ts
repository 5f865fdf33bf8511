import { describe, expect, test } from 'vitest';
import type { ServerFacts } from '../../src/restore/server-facts.ts';
import { requirePossible } from '../../src/restore/finding.ts';
import { planRestore } from '../../src/restore/plan.ts';
import { scratchName } from '../../src/restore/scratch-mark.ts';
import { planUndo } from '../../src/restore/undo-plan.ts';
import type { Situation } from '../../src/restore/situation.ts';

const description = {
  owner: 'aifinance',
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'C',
  provider: 'libc',
  locale: null,
  settings: {
    tablespace: 'pg_default',
    connectionLimit: -1,
    comment: null,
    privileges: null,
    parameters: [],
  },
} as const;

type Target = NonNullable<ServerFacts['target']>;

const target: Target = {
  owned: true,
  bytes: 5e9,
  invalid: false,
  isTemplate: false,
  isClosed: false,
  preparedTransactions: [],
  replicationSlots: [],
  subscriptions: [],
  clients: [],
  foreignSessions: [],
  description: { ...description, settings: { ...description.settings, parameters: [] } },
};

const facts: ServerFacts = {
  version: '15.18',
  user: 'aifinance',
  superuser: false,
  createsDatabases: true,
  createsRoles: true,
  isStandby: false,
  databases: ['aifinance'],
  roles: {
    existing: new Set(['aifinance']),
    assignable: new Set(['aifinance']),
    alterable: new Set(['aifinance']),
    inherited: new Set(['aifinance']),
    impersonable: new Set(['aifinance']),
  },
  tablespaces: [{ name: 'pg_default', usable: true }],
  extensions: [
    { name: 'vector', creatable: true },
    { name: 'pg_stat_statements', creatable: false },
  ],
  userParameters: ['work_mem'],
  room: { dataDirectory: null, startedAt: 0 },
  maxWalBytes: 1e9,
  leftovers: [],
  memberships: [],
  target,
  previous: [],
};

const situation: Situation = {
  file: {
    name: 'pratiko_backup_20251129_020000.sql.gz',
    path: '/b',
    bytes: 1e9,
    manifest: undefined,
    condition: 'unverified',
  },
  head: {
    serverVersion: '15.18',
    parameters: [],
    extensions: ['vector'],
    tablespaces: ['pg_default'],
    defects: [],
    unproven: undefined,
    isPart: undefined,
    roles: [],
    policyRoles: [],
    tables: undefined,
    hasAtomicBodies: false,
  },
  target: 'aifinance',
  facts,
  psqlVersion: '15.18',
  larger: [],
  freeBytes: undefined,
  stamp: '20251129_140000',
  scratch: 'aifinance_restore_20251129_140000_1a2b',
  nonce: '1a2b',
  isPart: false,
  stored: undefined,
  globals: false,
  createsRoles: false,
  owners: true,
  privileges: true,
  dropOld: false,
  force: false,
  skipRefused: false,
  live: undefined,
};

const findings = (changes: Partial<Situation>) =>
  planRestore({ ...situation, freeBytes: 1e12, ...changes }).findings.map(
    ({ severity, message, hint }) => `${severity}: ${message}; hint: ${hint}`,
  );
const findingsAbout = (changes: Partial<Target>) =>
  findings({ facts: { ...facts, target: { ...target, ...changes } } });

const manifest = (dumpBytes: number): Situation['file'] => ({
  ...situation.file,
  manifest: {
    format: 1,
    createdAt: '2025-11-29T02:00:00.000Z',
    durationMs: 1,
    database: { name: 'aifinance', ...target.description },
    dumpBytes,
    fileBytes: 1e9,
    sha256: '0'.repeat(64),
    tables: [],
    serverVersion: '15.18',
    pgDumpVersion: '15.18',
    toolVersion: '0.1.0',
  },
});

describe('names', () => {
  test('tell what they are, within 63 bytes', () => {
    const long = 'è'.repeat(31);
    const plan = planRestore({ ...situation, target: long });
    const scratch = scratchName(long, '20251129_140000', '1a2b');
    expect(scratch).toMatch(/^è+_restore_20251129_140000_1a2b$/);
    expect(plan.previous).toMatch(/^è+_before_20251129_140000_1a2b$/);
    expect(Buffer.byteLength(scratch)).toBeLessThanOrEqual(63);
  });

  test('of a second restore within one second are free', () => {
    const databases = ['aifinance', 'aifinance_before_20251129_140000'];
    const { previous } = planRestore({ ...situation, facts: { ...facts, databases } });
    expect(previous).toBe('aifinance_before_20251129_140000_1a2b');
  });
});

describe('findings', () => {
  test('none where nothing stands in the way', () => {
    expect(findings({})).toEqual([]);
  });

  test.each([
    [
      { replicationSlots: ['cdc'] },
      /^warning: replication slot "cdc" reads database.*pg_drop_replication_slot\('cdc'\)/,
    ],
    [{ subscriptions: ['s'] }, /^blocker: subscription "s" writes to.*DROP SUBSCRIPTION "s"/],
    [
      { preparedTransactions: ['x'] },
      /^blocker: the prepared transaction 'x' holds.*ROLLBACK PREPARED/,
    ],
    [
      { invalid: true },
      /^blocker: database "aifinance" is what an interrupted DROP DATABASE has left/,
    ],
    [{ owned: false }, /^blocker: user "aifinance" does not own database "aifinance"/],
  ])('%j', (changes, expected) => {
    expect(findingsAbout(changes)).toEqual([expect.stringMatching(expected)]);
  });

  test('a slot blocks --drop-old: such a database cannot be dropped', () => {
    const withSlot = { ...facts, target: { ...target, replicationSlots: ['cdc'] } };
    expect(findings({ facts: withSlot, dropOld: true })[0]).toMatch(
      /^blocker: .*cannot be dropped/,
    );
  });

  test('a dump of a newer server, and a psql that cannot be restricted', () => {
    const head = { ...situation.head, serverVersion: '17.2' };
    expect(findings({ head, psqlVersion: '15.13' })).toEqual([
      expect.stringMatching(/^warning: the dump is of PostgreSQL 17.2, this server is 15.18/),
      expect.stringMatching(/^warning: psql 15.13 cannot be restricted/),
    ]);
  });

  test('with --skip-refused what only some statements need is no reason to stop', () => {
    const head = { ...situation.head, extensions: ['pg_cron', 'postgis'], tablespaces: ['fast'] };
    const all = findings({ head, skipRefused: true });
    expect(all).toHaveLength(3);
    expect(all.every((finding) => finding.startsWith('warning: '))).toBe(true);
    expect(findings({ head })[0]).toMatch(
      /^blocker: extension "pg_cron" works only in the database that .*`restore --skip-refused` restores everything else/,
    );
  });

  test('extensions that are not offered, and those that only a superuser creates', () => {
    const head = { ...situation.head, extensions: ['postgis', 'pg_stat_statements'] };
    expect(findings({ head })).toEqual([
      expect.stringMatching(
        /^blocker: the dump needs extension "postgis", .*does not offer.*postgresql-15-postgis/,
      ),
      expect.stringMatching(/^blocker: .*"pg_stat_statements", which only a superuser may create/),
    ]);
  });

  test('tablespaces that are not here', () => {
    expect(findings({ head: { ...situation.head, tablespaces: ['fast disk'] } })).toEqual([
      expect.stringMatching(
        /^blocker: the dump puts tables into tablespace "fast disk".*CREATE TABLESPACE "fast disk"/,
      ),
    ]);
  });

  test.each([
    [
      'unknown',
      undefined,
      8e9,
      /^note: the room .* cannot be known from here; the new database needs about 11.4 GB/,
    ],
    ['enough', 12e9, 8e9, undefined],
    ['little, by the dump', 11e9, 8e9, /^blocker: the server's disk has 11 GB free.*--force/],
    ['too little, by the present database', 7e9, 1e9, /^blocker: .*about 7.5 GB/],
  ])('room: %s', (_, freeBytes, dumpBytes, expected) => {
    const found = findings({ file: manifest(dumpBytes), freeBytes });
    expect(found).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
  });

  test('room for fewer rows than are there now is what these rows take', () => {
    const changes = {
      file: manifest(1e6),
      head: { ...situation.head, tables: [{ table: 'public.t', rows: 10 }] },
      live: [{ table: 'public.t', rows: 1000 }],
      freeBytes: 100e6,
    };
    expect(findings(changes)).toEqual([
      expect.stringMatching(/^blocker: .* needs about 115 MB beside the present one/),
    ]);
  });

  test('room that a user may not ask for: the privilege is named', () => {
    const room = { ...facts.room, dataDirectory: null };
    expect(findings({ facts: { ...facts, room }, freeBytes: undefined })).toEqual([
      expect.stringContaining('GRANT pg_read_all_settings TO "aifinance"'),
    ]);
  });

  test('roles of policies stand in the way, others are a warning', () => {
    const head = { ...situation.head, roles: ['readers', 'writers'], policyRoles: ['readers'] };
    const writers = /^warning: .* left out: writers; .*CREATE ROLE "writers";$/;
    expect(findings({ head })).toEqual([
      expect.stringMatching(
        /^blocker: row-security policies .*: readers; .*CREATE ROLE "readers";/,
      ),
      expect.stringMatching(writers),
    ]);
    expect(findings({ head, skipRefused: true, privileges: false, owners: false })).toEqual([
      expect.stringMatching(/^warning: row-security .*readers; these policies are left out; /),
    ]);
  });

  test('blockers are told all at once', () => {
    const plan = planRestore({
      ...situation,
      facts: { ...facts, createsDatabases: false, target: { ...target, owned: false } },
    });
    expect(() => requirePossible(plan)).toThrow(/may not create databases; user .* does not own/);
  });
});

describe('what the old database had', () => {
  const own: Target['description'] = {
    ...target.description,
    owner: 'gone',
    settings: {
      ...target.description.settings,
      tablespace: 'fast',
      privileges: [
        { grantee: 'gone', privilege: 'CONNECT', grantable: false },
        { grantee: 'ghost', privilege: 'CONNECT', grantable: false },
        { grantee: null, privilege: 'CONNECT', grantable: false },
      ],
    },
  };

  test('is lost where roles or tablespaces are missing, and that is said', () => {
    const plan = planRestore({
      ...situation,
      facts: { ...facts, target: { ...target, description: own } },
    });
    const lost = plan.findings.filter(({ severity }) => severity === 'warning');
    expect(lost.map(({ message }) => message)).toEqual([
      expect.stringMatching(/owner "gone" does not exist here.*"aifinance" will own it/),
      expect.stringMatching(/tablespace "fast" does not exist here/),
      expect.stringMatching(/privileges on the database of roles .* left out: ghost$/),
    ]);
    expect(plan.create).toMatchObject({ owner: undefined, tablespace: undefined });
    // What the old owner had, the new one has.
    expect(plan.settings.after.join('\n')).toContain('TO "aifinance";');
  });

  test('privileges stay as they are for every new database with --no-privileges', () => {
    const plan = planRestore({
      ...situation,
      privileges: false,
      facts: { ...facts, target: { ...target, description: own } },
    });
    expect(plan.settings).toEqual({ before: [], after: [] });
  });
});

test('an undo goes back to the newest, and keeps the present one', () => {
  const previous = ['aifinance_before_20251101_000000', 'aifinance_before_20251128_000000'].map(
    (name) => ({
      name,
      scratch: 'x_restore',
      target: situation.target,
      bytes: 1,
      invalid: false,
      comment: { text: null },
    }),
  );
  const ofOthers = {
    name: 'b',
    target: 'other',
    bytes: 1,
    invalid: false,
    comment: { text: null },
  };
  const all = [...previous, ofOthers];
  expect(planUndo({ ...situation, facts: { ...facts, previous: all } })).toMatchObject({
    returning: { name: 'aifinance_before_20251128_000000' },
    previous: 'aifinance_before_20251129_140000',
  });
  expect(planUndo(situation)).toBeUndefined();
});
