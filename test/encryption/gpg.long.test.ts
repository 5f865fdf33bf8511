import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { installation, temporaryDirectory } from '../support/cli.ts';
import { gpgHome, gpgKeys, hasGpg } from '../support/keys.ts';
import { databasesLike, sql, temporaryDatabase } from '../support/server.ts';

const rows = 'CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 20000) g;';

/** A database with a backup that is encrypted to a key in the home of gpg. */
async function encrypted(passphrase = '') {
  const database = await temporaryDatabase(rows);
  const tool = await installation(database);
  const keys = await gpgKeys(passphrase);
  const made = await tool.run(['backup', '--json'], { env: keys.toEncrypt });
  expect(made).toExitWith(0);
  const { backup, path } = JSON.parse(made.stdout) as { backup: string; path: string };
  const open = (...args: string[]) => tool.run(args, { env: keys.env });
  return { ...tool, database, keys, backup, path, open };
}

const content = (database: string) =>
  sql(database, "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY a)) FROM t;");

describe.skipIf(!hasGpg)('BACKUP_GPG_RECIPIENT', () => {
  test('gpg decrypts a backup, and the tool what gpg has encrypted', async () => {
    const { path, backup, keys, open, database } = await encrypted();
    expect(backup).toMatch(/^pratiko_backup_\d{8}_\d{6}\.sql\.gz\.gpg$/);
    const { stdout } = await execa('gpg', ['--quiet', '--decrypt', path], {
      env: keys.env,
      encoding: 'buffer',
    });
    expect(gunzipSync(stdout).toString()).toContain('COPY public.t (a, b) FROM stdin;');
    const other = join(await temporaryDirectory(), 'from-a-colleague.sql.gz.asc');
    await execa(
      'gpg',
      ['--armor', '--trust-model=always', '-r', 'backup@example.org', '-o', other, '--encrypt'],
      { env: keys.env, input: stdout },
    );
    const before = await content(database);
    await sql(database, 'DROP TABLE t;');
    expect(await open('restore', other, '--yes')).toExitWith(0);
    expect(await content(database)).toBe(before);
  });

  test('backups are verified, restored side by side, and proven with the key in the agent', async () => {
    const { open, database } = await encrypted();
    const before = await content(database);
    expect((await open('verify')).stdout).toContain('good: 1 table, 20,000 rows');
    expect(await open('verify', '--restore')).toExitWith(0);
    await sql(database, 'DELETE FROM t;');
    expect(await open('restore', '--yes', '--jobs', '2')).toExitWith(0);
    expect(await content(database)).toBe(before);
  });

  test('without the private key, the bytes are checked and nothing else is claimed', async () => {
    const { run, backup, database } = await encrypted();
    const nobody = { env: (await gpgHome()).env };
    expect((await run(['verify'], nobody)).stdout).toBe(
      `${backup}  the bytes are those that were written; contents not checked: there is no private key here`,
    );
    const refused = await run(['restore', '--yes'], nobody);
    expect(refused).toExitWith(2);
    expect(refused.stderr).toContain('its private key is not here');
    expect(await databasesLike(database)).toEqual([database]);
  });

  test('a key that is locked is told, for nobody can be asked', async () => {
    const { open, keys } = await encrypted('secret words');
    await execa('gpgconf', ['--kill', 'gpg-agent'], { env: keys.env });
    const refused = await open('restore', '--yes');
    expect(refused).toExitWith(2);
    expect(refused.stderr).toContain('cannot use its key; hint: unlock it first');
    expect(refused.stderr).not.toContain('secret words');
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 100)],
    ['longer', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
    ['twice', (bytes) => Buffer.concat([bytes, bytes])],
    [
      'altered near its end',
      (bytes) => {
        const altered = Buffer.from(bytes);
        altered[bytes.length - 30] = (altered[bytes.length - 30] ?? 0) ^ 1;
        return altered;
      },
    ],
  ])('a file that is %s is not swapped in', async (_, change) => {
    const { path, open, database, backup } = await encrypted();
    const before = await content(database);
    await writeFile(path, change(await readFile(path)));
    const copy = join(await temporaryDirectory(), backup);
    await writeFile(copy, await readFile(path));
    for (const file of [path, copy]) {
      const { exitCode, stderr } = await open('restore', file, '--yes');
      expect([21, 22], stderr).toContain(exitCode);
    }
    expect(await content(database)).toBe(before);
    expect(await databasesLike(database)).toEqual([database]);
  });

  test('a key that cannot encrypt stops the backup before the dump', async () => {
    const { run, directory } = await installation(await temporaryDatabase(rows));
    const expectRefused = async (env: Record<string, string>) => {
      const ending = await run(['backup'], { env });
      expect(ending).toExitWith(2);
      expect(ending.stderr).toContain('gpg cannot encrypt to BACKUP_GPG_RECIPIENT');
      const left = (await readdir(directory)).filter((name) => !name.includes('history'));
      expect(left).toEqual([]);
    };
    const unknown = await gpgHome();
    await expectRefused({ ...unknown.env, BACKUP_GPG_RECIPIENT: 'nobody@example.org' });
    await expectRefused({ ...unknown.env, BACKUP_GPG_RECIPIENT: '--version' });

    const expired = await gpgKeys('', 'seconds=1');
    await expect
      .poll(async () => (await expired.gpg('--list-keys')).stdout, { timeout: 10_000 })
      .toContain('expired');
    await expectRefused(expired.toEncrypt);

    const revoked = await gpgKeys();
    const [file = ''] = await readdir(join(revoked.env.GNUPGHOME, 'openpgp-revocs.d'));
    const path = join(revoked.env.GNUPGHOME, 'openpgp-revocs.d', file);
    await writeFile(path, (await readFile(path, 'utf8')).replace(':-----BEGIN', '-----BEGIN'));
    await revoked.gpg('--import', path);
    await expectRefused(revoked.toEncrypt);
  });

  test('where gpg is missing, that is told with what to install', async () => {
    const { run, env } = await installation(await temporaryDatabase());
    const bin = await temporaryDirectory();
    for (const tool of ['sh', 'node']) {
      const { stdout } = await execa('which', [tool]);
      await execa('ln', ['-s', stdout, join(bin, tool)]);
    }
    const { stdout: psql } = await execa('sh', ['-c', 'ls -d /usr/lib/postgresql/*/bin | tail -1']);
    const ending = await run(['backup'], {
      env: { ...env, PATH: bin, PG_BIN_DIR: psql, BACKUP_GPG_RECIPIENT: 'backup@example.org' },
    });
    expect(ending).toExitWith(12);
    expect(ending.stderr).toContain('gpg cannot be started; hint: install it');
  });
});
