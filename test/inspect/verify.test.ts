import { readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { withOneBackup } from '../support/aged-backups.ts';

const stamp = '20250101_000000';
const name = `pratiko_backup_${stamp}.sql.gz`;

/** A backup made by the tool, and a way to put altered ones beside it. */
async function prepared() {
  const tool = await withOneBackup('CREATE TABLE x AS SELECT generate_series(1, 100) AS a;');
  const good = await readlink(join(tool.directory, 'pratiko_backup_latest.sql.gz'));
  const bytes = await readFile(join(tool.directory, good));
  const manifest = await readFile(
    join(tool.directory, good.replace('.sql.gz', '.manifest.json')),
    'utf8',
  );
  return {
    ...tool,
    good,
    bytes,
    text: gunzipSync(bytes).toString(),
    manifest,
    put: async (content: Buffer, manifestText?: string) => {
      await writeFile(join(tool.directory, name), content);
      const path = join(tool.directory, `pratiko_backup_${stamp}.manifest.json`);
      if (manifestText !== undefined) await writeFile(path, manifestText);
    },
  };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

const cases: [string, (made: Prepared) => Promise<void>, RegExp][] = [
  ['empty', ({ put }) => put(Buffer.alloc(0)), /the file is empty/],
  ['cut', ({ put, bytes }) => put(bytes.subarray(0, 300)), /truncated at byte 300/],
  ['plain SQL', ({ put, text }) => put(Buffer.from(text)), /not gzip/],
  [
    'followed by zeros',
    ({ put, bytes }) => put(Buffer.concat([bytes, Buffer.alloc(100)])),
    /data after the end of the backup at byte \d+/,
  ],
  [
    'two backups in one',
    ({ put, bytes }) => put(Buffer.concat([bytes, bytes])),
    /data after the end of the backup at byte \d+/,
  ],
  [
    'two dumps in one',
    ({ put, text }) => put(gzipSync(text + text)),
    /data after the completion marker/,
  ],
  [
    'a cut dump',
    ({ put, text }) => put(gzipSync(text.slice(0, text.lastIndexOf('--\n-- PostgreSQL')))),
    /no completion marker at the end: the dump was cut/,
  ],
  [
    'cut inside COPY',
    ({ put, text }) => put(gzipSync(text.slice(0, text.indexOf('\n50\n') + 1))),
    /COPY of public\.x is not closed: the dump was cut/,
  ],
  [
    'SQL by somebody else',
    ({ put }) => put(gzipSync('CREATE TABLE t (a integer);\n')),
    /it is no dump by pg_dump: it begins with "CREATE TABLE t/,
  ],
  [
    'for pg_restore',
    ({ put }) => put(Buffer.from('PGDMP')),
    /it is a dump in pg_dump's custom format/,
  ],
  [
    'another backup than its manifest says',
    ({ put, text, manifest }) => put(gzipSync(text, { level: 1 }), manifest),
    /checksum differs from the manifest/,
  ],
  [
    'of other rows than its manifest says',
    ({ put, bytes, manifest }) => put(bytes, manifest.replace('"rows": 100', '"rows": 101')),
    /rows differ from the manifest: public\.x has 100 rows, expected 101 rows/,
  ],
  [
    'beside a manifest that makes no sense',
    ({ put, bytes }) => put(bytes, '{'),
    /its manifest cannot be read/,
  ],
];

test.each(cases)('a file that is %s is not good, and stays', async (_, alter, reason) => {
  const made = await prepared();
  await alter(made);
  const before = await readFile(join(made.directory, name));

  const { exitCode, stdout, stderr } = await made.run(['verify', stamp]);

  expect(stdout).toMatch(new RegExp(`^${name}  NOT GOOD: ${reason.source}`));
  expect(stderr).toMatch(new RegExp(`ERROR: ${name} is not good: .*hint: `));
  expect(exitCode).toBe(21);
  expect((await readFile(join(made.directory, name))).equals(before)).toBe(true);
});

test('a good backup is good with and without manifest, by name, path, timestamp and link', async () => {
  const { run, directory, good } = await prepared();
  const [, timestamp = ''] = /(\d{8}_\d{6})/.exec(good) ?? [];
  for (const args of [
    [],
    ['latest'],
    [good],
    [timestamp],
    [join(directory, good)],
    [join(directory, 'pratiko_backup_latest.sql.gz')],
  ]) {
    const { exitCode, stdout } = await run(['verify', ...args]);
    expect(stdout).toMatch(new RegExp(`^${good}  good: 1 table, 100 rows, [\\d.]+ B$`));
    expect(exitCode).toBe(0);
  }
  await rm(join(directory, good.replace('.sql.gz', '.manifest.json')));
  expect((await run(['verify'])).stdout).toContain('(no manifest to compare with)');
});

test('--all reads every backup and says how many are not good', async () => {
  const made = await prepared();
  await made.put(made.bytes.subarray(0, 100));

  const { exitCode, stdout, stderr } = await made.run(['verify', '--all']);

  expect(stdout.split('\n')).toHaveLength(2);
  expect(stderr).toContain('1 of 2 backups is not good');
  expect(exitCode).toBe(21);
  const json = JSON.parse((await made.run(['verify', '--all', '--json'])).stdout) as object;
  expect(json).toMatchObject({
    good: false,
    backups: [
      { name, good: false, defects: ['truncated at byte 100'] },
      { name: made.good, good: true },
    ],
  });
});

test('without any backup the exit code is 10', async () => {
  const { run, directory } = await installation('unused');
  for (const args of [['verify'], ['verify', '--all'], ['restore', '--yes']]) {
    const { exitCode, stderr } = await run(args);
    expect(stderr).toContain(`no backup in ${directory}; hint: copy your backups into it`);
    expect(exitCode).toBe(10);
  }
});

test.each([
  [['verify', 'x', '--all'], /--all reads every backup in the directory, and nothing else/],
  [['verify', '--nonsense'], /unknown option '--nonsense'/],
  [['backup', 'surplus'], /too many arguments/],
  [['backup', '--wait', 'soon'], /give whole seconds/],
  [['nonsense'], /unknown command 'nonsense'/],
  [['help', 'nonsense'], /unknown command 'nonsense'/],
  [['list', '--log-format', 'xml'], /Allowed choices are pretty, json/],
])('wrong usage is exit code 2: %s', async (args, message) => {
  const { run } = await installation('unused');
  const { exitCode, stderr } = await run(args);
  expect(stderr).toMatch(message);
  expect(stderr).toContain('hint: ');
  expect(exitCode).toBe(2);
});

test('one that a newer version made is not called damaged, and is restored without its manifest', async () => {
  const { put, bytes, manifest, run, database } = await prepared();
  await put(bytes, JSON.stringify({ ...JSON.parse(manifest), format: 2, sha256: 'another kind' }));
  const listed: unknown = JSON.parse((await run(['list', '--json'])).stdout);
  expect(listed).toMatchObject({
    backups: [{ state: 'verified' }, { name, state: 'unverified', byOldScript: false }],
  });
  const verified = await run(['verify', stamp]);
  expect(verified.stdout).toContain(
    'made by a newer version of this tool: its manifest was not compared',
  );
  expect(verified).toExitWith(0);
  const planned = await run(['restore', stamp, '--dry-run', '--to', `${database}_new`]);
  expect(planned.stderr).toContain('was made by a newer version of this tool');
  expect(planned).toExitWith(0);
  await put(bytes.subarray(0, 300));
  expect(await run(['verify', stamp])).toExitWith(21);
});
