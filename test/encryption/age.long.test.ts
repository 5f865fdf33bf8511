import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { installation, temporaryDirectory, type Run } from '../support/cli.ts';
import { fakePgDump } from '../support/fake-tool.ts';
import { ageKeys, hasAge, postQuantum } from '../support/keys.ts';
import { databasesLike, sql, temporaryDatabase } from '../support/server.ts';

const rows = 'CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g;';

/** A database with a backup that is encrypted to a new key. */
async function encrypted(options: { readonly env?: Record<string, string>; quantum?: true } = {}) {
  const database = await temporaryDatabase(rows);
  const tool = await installation(database);
  const keys = await ageKeys(options.quantum && postQuantum);
  const made = await tool.run(['backup', '--json'], { env: { ...keys.toEncrypt, ...options.env } });
  expect(made).toExitWith(0);
  const { backup, path } = JSON.parse(made.stdout) as { backup: string; path: string };
  const open = (...args: string[]) => tool.run(args, { env: keys.toDecrypt });
  return { ...tool, database, keys, backup, path, open };
}

function expectEnding(ending: Run, exitCode: number, said: string): void {
  expect(ending).toExitWith(exitCode);
  expect(ending.stdout + ending.stderr).toContain(said);
}

const content = (database: string) =>
  sql(database, "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY a)) FROM t;");

describe.skipIf(!hasAge)('with the age of everybody', () => {
  test('a backup is decrypted by it', async () => {
    const { path, backup, keys, directory } = await encrypted();
    expect(backup).toMatch(/^pratiko_backup_\d{8}_\d{6}\.sql\.gz\.age$/);
    const { stdout } = await execa('age', ['--decrypt', '-i', keys.file, path], {
      encoding: 'buffer',
    });
    expect(gunzipSync(stdout).toString()).toContain('COPY public.t (a, b) FROM stdin;');
    for (const name of await readdir(directory)) {
      expect((await readFile(join(directory, name))).includes('COPY public')).toBe(false);
    }
  });

  test('what it has encrypted is restored, whatever it is called', async () => {
    const { path, keys, open, database } = await encrypted();
    const before = await content(database);
    const plain = await execa('age', ['--decrypt', '-i', keys.file, path], { encoding: 'buffer' });
    const other = join(await temporaryDirectory(), 'from-a-colleague');
    await execa('age', ['-r', keys.recipient, '-o', other], { input: plain.stdout });
    await sql(database, 'DROP TABLE t;');
    expect(await open('restore', other, '--yes')).toExitWith(0);
    expect(await content(database)).toBe(before);
  });
});

test('everything that reads backups reads encrypted ones, with post-quantum keys, too', async () => {
  const { open, backup, database } = await encrypted({ quantum: true });
  const before = await content(database);
  expect((await open('verify')).stdout).toContain('good: 1 table, 20,000 rows');
  expect((await open('verify', '--restore')).stdout).toContain('20,000 rows');
  expect((await open('extract')).stdout).toContain('COPY public.t (a, b) FROM stdin;');
  expect((await open('extract', '--table', 't', '--schema-only')).stdout).toContain('CREATE TABLE');
  expect((await open('list', 'latest')).stdout).toContain('20,000');
  expect((await open('diff', '--content', backup, backup)).stdout).toContain('t');
  await sql(database, 'DELETE FROM t;');
  expect(await open('restore', '--yes', '--jobs', '2')).toExitWith(0);
  expect(await content(database)).toBe(before);
  expect(await open('restore', '--yes', '--skip-refused')).toExitWith(0);
  expect(await content(database)).toBe(before);
});

test('to several keys, of which each opens it', async () => {
  const second = await ageKeys();
  const third = await ageKeys(postQuantum);
  const list = join(await temporaryDirectory(), 'recipients.txt');
  await writeFile(list, `# both\n\n${second.recipient}\r\n${third.recipient}\n`);
  const made = await encrypted({ env: { BACKUP_AGE_RECIPIENT: list } });
  for (const { toDecrypt } of [second, third]) {
    expect(await made.run(['verify'], { env: toDecrypt })).toExitWith(0);
  }
  const separated = { BACKUP_AGE_RECIPIENT: `${second.recipient}, ${made.keys.recipient}` };
  expect(await made.run(['backup'], { env: separated })).toExitWith(0);
  for (const { toDecrypt } of [second, made.keys]) {
    expect(await made.run(['verify'], { env: toDecrypt })).toExitWith(0);
  }
});

describe('without the right key', () => {
  test('verify tells what it knows, and what it does not', async () => {
    const { run, path, backup } = await encrypted();
    const { stdout } = await run(['verify']);
    expect(stdout).toBe(
      `${backup}  the bytes are those that were written; contents not checked: there is no private key here`,
    );
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const bad = await run(['verify']);
    expectEnding(bad, 21, 'checksum differs from the manifest');
    expect((await run(['list'])).stdout).toContain('DAMAGED');
  });

  test('another key is told, and nothing is touched', async () => {
    const { run, database, open } = await encrypted();
    const before = await content(database);
    const other = await ageKeys();
    const wrong = { env: other.toDecrypt };
    expectEnding(await run(['verify'], wrong), 2, 'no key in BACKUP_AGE_IDENTITY_FILE opens it');
    expect((await run(['verify'], wrong)).stdout).toContain(
      'the bytes are those that were written',
    );
    expectEnding(await run(['restore', '--yes'], wrong), 2, 'no key in BACKUP_AGE_IDENTITY_FILE');
    expectEnding(await run(['restore', '--yes']), 2, 'no private key is given');
    expectEnding(await run(['extract']), 2, 'no private key is given');
    expectEnding(await run(['verify', '--restore']), 2, 'no private key is given');
    expectEnding(await run(['restore', '--salvage']), 2, 'no private key is given');
    expect(await content(database)).toBe(before);
    expect(await databasesLike(database)).toEqual([database]);
    // What could not be opened was not found to be anything.
    expect((await open('list')).stdout).not.toContain('DAMAGED');
  });

  test.each([
    ['empty', '', 'there is no key in'],
    ['comments only', '# nothing\n', 'there is no key in'],
    ['a public key', 'age1qqqqqq\n', 'key 1 in'],
    ['garbage', 'AGE-SECRET-KEY-1SECRETSECRET\n', 'key 1 in'],
    ['one of a plugin', 'AGE-PLUGIN-YUBIKEY-1SECRETSECRET\n', 'key 1 in'],
    ['locked', 'age-encryption.org/v1\n-> scrypt x 18\n', 'locked with a passphrase'],
  ])(
    'the file with the private key is %s: it says so, and repeats nothing',
    async (_, text, said) => {
      const { run } = await encrypted();
      const file = join(await temporaryDirectory(), 'identity.txt');
      await writeFile(file, text);
      const ending = await run(['restore', '--yes'], { env: { BACKUP_AGE_IDENTITY_FILE: file } });
      expectEnding(ending, 2, said);
      expect(ending.stderr).not.toContain('SECRETSECRET');
    },
  );
});

describe('a file that is not as it was encrypted', () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 100)],
    [
      'cut between two chunks',
      (bytes) => bytes.subarray(0, bytes.indexOf('\n--- ') + 49 + 16 + 65_552),
    ],
    ['longer', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['twice', (bytes) => Buffer.concat([bytes, bytes])],
    ['not encrypted', () => gzipSync('SELECT 1;')],
    ['empty', () => Buffer.alloc(0)],
  ])('%s: neither with its manifest nor without is it swapped in', async (_, change) => {
    const { path, open, database, directory, backup } = await encrypted();
    const before = await content(database);
    await writeFile(path, change(await readFile(path)));
    const copy = join(await temporaryDirectory(), backup);
    await writeFile(copy, await readFile(path));
    for (const file of [path, copy]) {
      const { exitCode, stderr } = await open('restore', file, '--yes');
      expect([21, 22], stderr).toContain(exitCode);
      expect(await open('verify', file)).toExitWith(21);
    }
    expect(await content(database)).toBe(before);
    expect(await databasesLike(database)).toEqual([database]);
    expect(await readdir(directory)).toContain(backup);
  });
});

describe('a key that cannot encrypt stops the backup before the dump', () => {
  test.each([
    ['malformed', 'age1nothing', 'no public key of age'],
    ['cut off', 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudcqvj', 'no public key of age'],
    ['a private one', 'AGE-SECRET-KEY-1SECRETSECRET', 'not a private one'],
    ['a private one in quotes', '"AGE-SECRET-KEY-1SECRETSECRET"', 'not a private one'],
    ['of SSH', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5', 'SSH key'],
    [
      'of a plugin',
      'age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t',
      'plugin',
    ],
    ['one good and one bad', 'age1x age1y', 'key 1 in BACKUP_AGE_RECIPIENT'],
    ['a file that is not there', '/nowhere/recipients.txt', 'cannot read the file'],
    ['a directory', '/tmp', 'cannot read the file'],
    ['an empty file', '/dev/null', 'there is no key in /dev/null'],
  ])('%s', async (_, recipient, said) => {
    const { run, directory } = await installation(await temporaryDatabase());
    const called = join(await temporaryDirectory(), 'called');
    const PG_BIN_DIR = await fakePgDump(`touch ${called}; exit 9`);
    const env = { BACKUP_AGE_RECIPIENT: recipient, PG_BIN_DIR };
    const ending = await run(['backup'], { env });
    expectEnding(ending, 2, said);
    expect(ending.stderr).toContain('hint: ');
    expect(ending.stderr).not.toContain('SECRETSECRET');
    await expect(access(called)).rejects.toThrow();
    const left = (await readdir(directory)).filter((name) => !name.includes('history'));
    expect(left).toEqual([]);
  });

  test('both ways at once', async () => {
    const { toEncrypt } = await ageKeys();
    const { run } = await installation(await temporaryDatabase());
    const env = { ...toEncrypt, BACKUP_GPG_RECIPIENT: 'backup@example.org' };
    expectEnding(await run(['backup'], { env }), 2, 'are both set');
    // Who must restore need not correct it first.
    expect(await run(['list'], { env })).toExitWith(0);
  });

  test('a private key where the path of its file belongs is not shown', async () => {
    const { identity } = await ageKeys();
    const { run } = await installation(await temporaryDatabase());
    const ending = await run(['list'], { env: { BACKUP_AGE_IDENTITY_FILE: identity } });
    expectEnding(ending, 2, 'the path of a file, not a key');
    expect(ending.stderr).not.toContain(identity.slice(0, 30));
  });
});

test('the roles of the server are encrypted as the backup is, and come back', async () => {
  const { directory, open, database, backup } = await encrypted({
    env: { BACKUP_GLOBALS: 'true' },
  });
  const names = (await readdir(directory)).filter((name) => name.includes('globals'));
  expect(names).toEqual([backup.replace('.sql.gz', '.globals.sql')]);
  const bytes = await readFile(join(directory, names[0] ?? ''));
  expect(bytes.toString('latin1')).toMatch(/^age-encryption\.org/);
  expect(bytes.includes('ROLE')).toBe(false);
  expect(await open('restore', '--yes', '--globals', '--to', `${database}_new`)).toExitWith(0);
});

describe('keygen', () => {
  test('makes a pair that works, and never writes over a key', async () => {
    const { run } = await installation(await temporaryDatabase(rows));
    const cwd = await temporaryDirectory();
    const made = await run(['keygen'], { cwd });
    expect(made).toExitWith(0);
    const [, recipient = ''] = /^BACKUP_AGE_RECIPIENT=(age1\S+)$/m.exec(made.stdout) ?? [];
    const file = join(cwd, 'pratiko_backup_identity.txt');
    const text = await readFile(file, 'utf8');
    expect(made.stdout + made.stderr).not.toContain('AGE-SECRET-KEY');
    expect(await run(['backup'], { env: { BACKUP_AGE_RECIPIENT: recipient } })).toExitWith(0);
    const env = { BACKUP_AGE_IDENTITY_FILE: file };
    expect((await run(['verify'], { env })).stdout).toContain('good:');

    expectEnding(await run(['keygen'], { cwd }), 2, 'no key is written over another');
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await run(['keygen', '-o', '/nowhere/k'], { cwd })).toExitWith(14);
  });

  test.skipIf(!hasAge)('writes what age reads', async () => {
    const { run } = await installation(await temporaryDatabase());
    const cwd = await temporaryDirectory();
    const { stdout } = await run(['keygen', '--output', 'k', '--json'], { cwd });
    const { file, recipient } = JSON.parse(stdout) as { file: string; recipient: string };
    expect(basename(file)).toBe('k');
    const { stdout: read } = await execa('age-keygen', ['-y', file]);
    expect(read).toBe(recipient);
  });
});
