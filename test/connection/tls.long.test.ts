import { execFileSync } from 'node:child_process';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execute } from '../../src/postgres/psql.ts';
import type { Sandbox } from '../../src/postgres/sandbox.ts';
import { isAvailable } from '../support/available.ts';
import { Authority } from '../support/certificates.ts';
import { runTool } from '../support/cli.ts';
import { environmentFor, startOwnServer } from '../support/own-server.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

const hasOpenssl = isAvailable(
  'openssl',
  ['version'],
  'openssl is missing: TLS is NOT tested here',
);

describe.skipIf(!hasOpenssl)('an encrypted connection', () => {
  let directory: string;
  let server: Sandbox;
  let ca: Authority;
  let other: Authority;
  const path = (name: string) => join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pratiko_tls_'));
    await chmod(directory, 0o755);
    ca = new Authority(directory, 'ca');
    other = new Authority(directory, 'other');
    ca.issue('server', 'localhost', ['DNS:localhost']);
    ca.issue('expired', 'localhost', ['DNS:localhost'], true);
    ca.issue('client', 'certified', []);
    other.issue('stranger', 'certified', []);
    if (process.getuid?.() === 0) {
      const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres']).toString());
      for (const name of ['server', 'expired']) ca.give(name, id('-u'), id('-g'));
    }
    await writeFile(
      path('pg_hba.conf'),
      'hostssl all certified all cert\nhost all all all scram-sha-256\n',
      { mode: 0o644 },
    );
    server = await startOwnServer({
      ssl: 'on',
      ssl_cert_file: path('server.crt'),
      ssl_key_file: path('server.key'),
      ssl_ca_file: ca.certificate,
      hba_file: path('pg_hba.conf'),
    });
    await execute(
      server.server,
      'postgres',
      'CREATE ROLE certified SUPERUSER LOGIN; CREATE DATABASE app; ',
    );
    await execute(server.server, 'app', 'CREATE TABLE t AS SELECT generate_series(1, 9) AS a;');
  }, 60_000);

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  /** Runs a command against `localhost`, with variables of libpq. */
  async function run(libpq: Readonly<Record<string, string>>, args = ['backup']) {
    const env = await environmentFor(server, { POSTGRES_DB: 'app', POSTGRES_HOST: 'localhost' });
    return runTool(args, { env: { ...env, HOME: directory, ...libpq } });
  }

  const verified = () => ({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: ca.certificate });

  test('with the right authority and name, backup, restore and drill work', async () => {
    const env = await environmentFor(server, { POSTGRES_DB: 'app', POSTGRES_HOST: 'localhost' });
    for (const args of [['backup'], ['restore', '--yes'], ['verify', '--restore']]) {
      expect(await runTool(args, { env: { ...env, ...verified() } })).toExitWith(0);
    }
  });

  test('the variables may stand in .env, with paths that begin at the project, and it is said which', async () => {
    const env = await environmentFor(server, { POSTGRES_DB: 'app', POSTGRES_HOST: 'localhost' });
    const settings = path('settings.env');
    await writeFile(settings, `PGSSLMODE=verify-full\nPGSSLROOTCERT=${ca.certificate}\n`);
    const given = await runTool(['--config', settings, 'backup'], { env });
    expect(given).toExitWith(0);
    expect(given.stderr).toContain('INFO: for libpq: PGSSLMODE, PGSSLROOTCERT');
    // An empty variable hides nothing.
    const hidden = await runTool(['--config', settings, 'backup'], {
      env: { ...env, PGSSLMODE: '', POSTGRES_HOST: '127.0.0.1' },
    });
    expect(hidden.stderr).toContain('does not match host name');
    await writeFile(settings, 'PGSSLMODE=verify-full\nPGSSLROOTCERT=no/such.crt\n');
    const relative = await runTool(['--config', settings, 'backup'], { env, cwd: directory });
    expect(relative).toExitWith(13);
    expect(relative.stderr).toMatch(/root certificate file "\/.*\/no\/such\.crt" does not exist/);
  });

  test.each<[string, () => Record<string, string>, RegExp]>([
    [
      'another authority',
      () => ({ ...verified(), PGSSLROOTCERT: other.certificate }),
      /certificate verify failed[^]*hint: [^]*PGSSLROOTCERT/,
    ],
    [
      'a name that is not in it',
      () => ({ ...verified(), POSTGRES_HOST: '127.0.0.1' }),
      /does not match host name "127.0.0.1"[^]*hint: [^]*POSTGRES_HOST/,
    ],
    [
      'no authority at all',
      () => ({ PGSSLMODE: 'verify-full' }),
      /root certificate file[^]*hint: PGSSLROOTCERT/,
    ],
    [
      'a mode that there is not',
      () => ({ PGSSLMODE: 'sure' }),
      /invalid sslmode value: "sure"[^]*hint: [^]*PGSSLMODE/,
    ],
  ])('is refused with %s', async (_, libpq, message) => {
    const { exitCode, stderr } = await run(libpq());
    expect(exitCode).toBe(13);
    expect(stderr).toMatch(message);
  });

  test('is refused with a certificate that has expired', async () => {
    await copyFile(path('server.crt'), path('good.crt'));
    await copyFile(path('server.key'), path('good.key'));
    const replaced = async (name: string) => {
      await copyFile(path(`${name}.crt`), path('server.crt'));
      await copyFile(path(`${name}.key`), path('server.key'));
      await execute(server.server, 'postgres', 'SELECT pg_reload_conf();');
    };
    await replaced('expired');
    // The server reads it a moment later.
    const said = async () => (await run(verified())).stderr;
    await expect
      .poll(said, { timeout: 20_000 })
      .toMatch(/certificate verify failed[^]*or has expired/);
    await replaced('good');
    await expect.poll(async () => (await run(verified())).exitCode, { timeout: 20_000 }).toBe(0);
  });

  test('the certificate of a user takes the place of a password', async () => {
    const certified = { ...verified(), POSTGRES_USER: 'certified', POSTGRES_PASSWORD: '' };
    const client = { PGSSLCERT: path('client.crt'), PGSSLKEY: path('client.key') };
    expect(await run({ ...certified, ...client })).toExitWith(0);
    const without = await run(certified);
    expect(without).toExitWith(13);
    expect(without.stderr).toMatch(/certificate[^]*hint: [^]*PGSSLCERT/);
    const stranger = await run({
      ...certified,
      PGSSLCERT: path('stranger.crt'),
      PGSSLKEY: path('stranger.key'),
    });
    expect(stranger).toExitWith(13);
    expect(stranger.stderr).toMatch(/hint: [^]*PGSSLCERT/);
    await copyFile(path('client.key'), path('open.key'));
    await chmod(path('open.key'), 0o644);
    const open = await run({ ...certified, ...client, PGSSLKEY: path('open.key') });
    expect(open).toExitWith(13);
    expect(open.stderr).toMatch(/private key file[^]*hint: [^]*PGSSLKEY/);
  });

  test('a wrong password and a missing database are told as such where certificates are checked', async () => {
    const password = await run({ ...verified(), POSTGRES_PASSWORD: 'wrong' });
    expect(password.stderr).toContain('does not accept the password');
    const database = await run({ ...verified(), POSTGRES_DB: 'not_there' });
    expect(database.stderr).toContain('there is no database "not_there"');
  });
});
