import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { execute } from '../../src/postgres/psql.ts';
import { backedUp } from '../support/backed-up.ts';
import { runTool, temporaryDirectory } from '../support/cli.ts';
import { environmentFor, startOwnServer } from '../support/own-server.ts';
import { temporaryDatabase } from '../support/server.ts';

describe('a service file', () => {
  async function service(lines: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const made = await backedUp();
    const directory = await temporaryDirectory();
    const file = join(directory, 'pg_service.conf');
    await writeFile(
      file,
      ['# ours', '[other]', 'host=nowhere.invalid', '', ...lines, ''].join('\n'),
    );
    const { PATH = '', BACKUP_DIR } = { ...made.env } as Record<string, string>;
    const env = {
      PATH,
      BACKUP_DIR: BACKUP_DIR ?? '',
      PGSERVICE: 'app',
      PGSERVICEFILE: file,
      ...more,
    };
    const run = (args: readonly string[], also = {}) => runTool(args, { env: { ...env, ...also } });
    return { ...made, run };
  }

  const { host, port, user, password } = inject('connection');
  const login = [`host=${host}`, `port = ${port}`, `user=${user}`, `password=${password}`];

  test('gives what is not set elsewhere, and says so', async () => {
    const database = await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;');
    const { run } = await service([
      '[app]',
      ...login,
      `dbname=${database}`,
      'sslmode=prefer',
      'connect_timeout=7',
      '[app]',
      'port=1',
    ]);
    const backup = await run(['backup', '--verbose']);
    expect(backup).toExitWith(0);
    expect(backup.stderr).toMatch(
      new RegExp(
        `database "${database}" \\(dbname of service "app" in .*pg_service.conf\\) on ${host}:${port}`,
      ),
    );
    expect(backup.stderr).toContain('for libpq: PGCONNECT_TIMEOUT, PGSSLMODE');
    expect(await run(['restore', '--yes'])).toExitWith(0);
  });

  test('is read as libpq reads it: the first of a name counts, behind it a remark; its port is 5432 by default', async () => {
    const { run } = await service([
      '[app] # production',
      ...login.filter((line) => !line.startsWith('port')),
      'host=nowhere.invalid',
      'sslpassword=x',
      '[trail]',
    ]);
    const backup = await run(['backup']);
    expect(backup).toExitWith(13);
    expect(backup.stderr).toContain(`cannot connect to ${host}:5432`);
    expect(backup.stderr).toMatch(/sslpassword of service "app" in .* is not passed on/);
    const address = await service(['[app]', ...login, 'hostaddr=127.0.0.1']);
    const refused = await address.run(['backup']);
    expect(refused).toExitWith(2);
    expect(refused.stderr).toContain('hostaddr of service "app"');
  });

  test('its password comes behind PGPASSWORD, and what it says in vain is told', async () => {
    const { run, database } = await service(
      ['[app]', ...login, 'password=wrong', 'dbname=not_used'].filter(
        (line) => line !== `password=${password}`,
      ),
    );
    const set = { POSTGRES_DB: database };
    expect(await run(['backup'], set)).toExitWith(13);
    const given = await run(['backup'], { ...set, PGPASSWORD: password });
    expect(given).toExitWith(0);
    expect(given.stderr).toMatch(
      /dbname of service "app" in .* is not used: POSTGRES_DB in the environment comes before it/,
    );
  });

  test('comes behind every setting of ours: a restore hits what was said', async () => {
    const { run, database } = await service(['[app]', ...login, 'dbname=not_there']);
    expect(await run(['backup'], { POSTGRES_DB: database })).toExitWith(0);
    expect(await run(['backup', '--dbname', database])).toExitWith(0);
    const wrong = await run(['backup']);
    expect(wrong).toExitWith(13);
    expect(wrong.stderr).toContain('there is no database "not_there"');
  });

  test('that does not define it, or cannot be understood, is told', async () => {
    const { run } = await service(['[app]', 'ldap://directory/o=x']);
    const ldap = await run(['backup']);
    expect(ldap).toExitWith(2);
    expect(ldap.stderr).toContain('LDAP');
    const missing = await run(['backup'], { PGSERVICE: 'another' });
    expect(missing).toExitWith(2);
    expect(missing.stderr).toMatch(
      /service "another" \(PGSERVICE\) is not defined in .*pg_service\.conf/,
    );
  });
});

test('a Unix socket is a place, too, and one that is not there is told', async () => {
  const directory = await temporaryDirectory();
  const sockets = join(directory, 'sockets');
  await mkdir(sockets, { mode: 0o777 });
  const { chmod } = await import('node:fs/promises');
  await chmod(directory, 0o755);
  await chmod(sockets, 0o777);
  await using own = await startOwnServer({ unix_socket_directories: sockets });
  await execute(own.server, 'postgres', 'CREATE DATABASE app;');
  await execute(own.server, 'app', 'CREATE TABLE t AS SELECT generate_series(1, 9) AS a;');
  const env = await environmentFor(own, { POSTGRES_DB: 'app', POSTGRES_HOST: sockets });
  for (const args of [['backup'], ['restore', '--yes'], ['verify', '--restore'], ['doctor']]) {
    expect(await runTool(args, { env })).toExitWith(0);
  }
  const wrong = await runTool(['backup'], { env: { ...env, POSTGRES_PASSWORD: 'wrong' } });
  expect(wrong).toExitWith(13);
  expect(wrong.stderr).toContain('does not accept the password');
  const nobody = await runTool(['backup'], { env: { ...env, POSTGRES_HOST: directory } });
  expect(nobody).toExitWith(13);
  expect(nobody.stderr).toContain(`no server listens on the socket in ${directory}`);
});
