import { expect, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { temporaryDatabase } from '../support/server.ts';
import { atTerminal } from '../support/screen.ts';

/** Enough rows to watch it for a while. */
const large = `CREATE TABLE "表の名前" AS SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS v FROM generate_series(1, 400000) AS g;`;

test.for([40, 80])(
  'a backup shows one live line in %d columns, and leaves its result',
  async (columns) => {
    const { env } = await withOneBackup(large);
    const { exitCode, lines, live, written } = await atTerminal(['backup'], env, columns);
    expect(exitCode).toBe(0);
    const dumping = live.filter((line) => line.startsWith('dumping'));
    expect(dumping).not.toEqual([]);
    if (columns === 40) expect(dumping.some((line) => line.endsWith('…'))).toBe(true);
    else expect(dumping.at(-1)).toMatch(/^dumping about \d+ %, .* MB.*, public\."表の名前"$/);
    // Nothing of it is left, and no line of the log has anything of it.
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^backing up database ".*" .* as ".*"$/);
    expect(lines[1]).toMatch(/^backup pratiko_backup_\S+ is good: 1 table, 400,000 rows, .* s$/);
    expect(written).toContain('\u{1B}[');
  },
);

test('nothing is live in CI, with --quiet, on a dumb terminal, or with logs for programs', async () => {
  const { env } = await withOneBackup(large);
  for (const [args, more] of [
    [['backup'], { CI: 'true' }],
    [['backup', '--quiet'], {}],
    [['backup'], { TERM: 'dumb' }],
    [['backup', '--log-format', 'json'], {}],
  ] as const) {
    const { exitCode, written } = await atTerminal(args, { ...env, ...more }, 80);
    expect(exitCode).toBe(0);
    expect(written).not.toContain('dumping');
    expect(written).not.toContain('\u{1B}[');
    if (args.at(-1) === '--quiet') expect(written).toBe('');
  }
});

test('errors are colored as psql has them, and not with NO_COLOR', async () => {
  const { env } = await backedUp();
  const args = ['restore', '19990101_000000'];
  const { written } = await atTerminal(args, env, 80);
  expect(written).toContain('\u{1B}[31merror:');
  expect(written).toContain('\u{1B}[36mhint:');
  const plain = await atTerminal(args, { ...env, NO_COLOR: '1' }, 80);
  expect(plain.written).not.toContain('\u{1B}[3');
  expect(plain.lines.join('\n')).toContain('error: no such backup');
});

test('a list fits 40 and 80 columns, and has everything on a wide screen', async () => {
  const made = await backedUp('CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;');
  await made.run(['backup', '--keep', '--label', 'before the 移行 of everything that there is']);
  const narrow = await atTerminal(['list'], made.env, 40);
  expect(narrow.lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 1,000 rows$/);
  expect(narrow.lines.slice(0, 4).every((line) => line.length <= 40)).toBe(true);
  expect(narrow.lines.join(' ')).toMatch(/verified, latest, kept, +"before/);
  const usual = await atTerminal(['list'], made.env, 80);
  const [header = '', first = '', second = ''] = usual.lines;
  expect(header).toMatch(/^TIME +AGE +SIZE +ROWS +STATE$/);
  expect(first.indexOf('verified')).toBe(header.indexOf('STATE'));
  expect(second.search(/\S/)).toBe(header.indexOf('STATE'));
  expect(usual.lines.join('\n')).toContain('call one by its time');
  const wide = await atTerminal(['list'], made.env, 200);
  expect(wide.lines[0]).toMatch(/^TIME .* NAME$/);
  expect(wide.lines[2]).toContain(made.name);
});

test('of several databases, a list says which backup is of which', async () => {
  const made = await backedUp();
  const other = await temporaryDatabase('CREATE TABLE o AS SELECT 1 AS a;');
  const one = await atTerminal(['list'], made.env, 80);
  expect(one.lines[0]).toMatch(/^TIME +AGE +SIZE +ROWS +STATE$/);
  expect(await made.run(['backup'], { env: { POSTGRES_DB: other } })).toExitWith(0);
  for (const columns of [80, 200]) {
    const { lines } = await atTerminal(['list'], made.env, columns);
    expect(lines[0]).toContain('DATABASE');
    expect(lines[1]).toContain(other);
  }
  const narrow = await atTerminal(['list'], made.env, 40);
  expect(narrow.lines.join('\n')).toContain(other);
});

test('what is extracted to a terminal is all there', async () => {
  const { env } = await withOneBackup(large);
  const { exitCode, written } = await atTerminal(['extract'], env, 200);
  expect(exitCode).toBe(0);
  expect(written.match(/^\d+\t[0-9a-f]{64}\r$/gm)).toHaveLength(400_000);
  expect(written.slice(written.indexOf('CREATE TABLE'))).not.toContain('\u{1B}');
});

test('names show what they are made of, and do nothing to the screen', async () => {
  const made = await backedUp('CREATE TABLE "red \u{1B}[31m\u{7}\nbackup x is good" (a integer);');
  const shown = String.raw`public."red \x1b[31m\x07\nbackup x is good"`;
  const { written } = await atTerminal(['list', 'latest'], made.env, 200);
  expect(written).toContain(shown);
  expect(written).not.toContain('\u{7}');
  const { stderr } = await made.run([
    'restore',
    'latest',
    '--to',
    'a\u{1B}]0;x\u{7}\nb',
    '--dry-run',
  ]);
  expect(stderr).toContain(String.raw`a\x1b]0;x\x07`);
  for (const line of stderr.split('\n').filter((each) => each !== '')) {
    expect(line).toMatch(/^(?:\[20| {4})/);
  }
});
