import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { passwordFor } from '../../src/config/passfile.ts';
import { installation, runTool, temporaryDirectory } from '../support/cli.ts';
import { temporaryDatabase } from '../support/server.ts';

test('without a password anywhere, the password file is used; a setting misspelled is told', async () => {
  const made = await installation(await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;'));
  const { POSTGRES_PASSWORD: secret = '', ...env } = made.env;
  const directory = await temporaryDirectory();
  const file = join(directory, 'pgpass');
  const escaped = secret.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
  await writeFile(file, `*:*:*:*:${escaped}\n`, { mode: 0o600 });
  const settings = join(directory, 'settings');
  await writeFile(
    settings,
    `PGPASSFILE=${file}\nPGSSLMODE=require\nRETENTION_DAY=3\nPOSTGRESS_DB=x\n`,
  );
  const run = (...args: string[]) => runTool(['--config', settings, ...args], { env });
  const refused = await run('backup', '--verbose');
  expect(refused.stderr).toMatch(/for libpq: .*PGSSLMODE/);
  expect(refused.stderr).toMatch(/RETENTION_DAY .*RETENTION_DAYS/);
  expect(refused.stderr).toMatch(/POSTGRESS_DB .*POSTGRES_DB/);
  expect(refused.stderr).toMatch(/server does not support SSL|SSL/);
  expect(refused.exitCode).toBe(13);
  await writeFile(settings, `PGPASSFILE=${file}\n`);
  expect(await run('backup')).toExitWith(0);
});

test('a file with a password beside the password itself is told: it is not read', async () => {
  const made = await installation(await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;'));
  const settings = join(await temporaryDirectory(), 'settings');
  await writeFile(settings, 'POSTGRES_PASSWORD_FILE=/no/such/file\n');
  const done = await runTool(['--config', settings, 'backup'], { env: made.env });
  expect(done.stderr).toContain(
    'WARN: POSTGRES_PASSWORD_FILE is not read: POSTGRES_PASSWORD in the environment comes before it; hint: ',
  );
  expect(done).toExitWith(0);
});

test('the password file is read as libpq reads it: the first line that fits', async () => {
  const file = join(await temporaryDirectory(), 'pgpass');
  const lines = [
    '# a comment',
    'other:5433:app:user:no host',
    'db:5432:app:user:no port',
    'db:*:postgres:user:no database',
    'db:5433:app:somebody:no user',
    String.raw`db:5433:*:user:with\:colon and \\ more`,
    '*:*:*:*:too late',
  ];
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const login = { host: 'db', port: 5433, database: 'app', user: 'user' };
  expect(passwordFor(login, { PGPASSFILE: file })).toBe('with:colon and \\ more');
  expect(passwordFor({ ...login, host: '/run/postgresql' }, { PGPASSFILE: file })).toBe('too late');
  expect(passwordFor(login, { PGPASSFILE: file, PGPASSWORD: 'first' })).toBe('first');
  await chmod(file, 0o644);
  expect(passwordFor(login, { PGPASSFILE: file })).toBeUndefined();
});

test('a file of services that cannot be read, and a command in two lines, are told', async () => {
  const directory = await temporaryDirectory();
  const base = { PATH: process.env.PATH ?? '' };
  const service = await runTool(['backup'], {
    env: { ...base, PGSERVICE: 'app', PGSERVICEFILE: directory },
  });
  expect(service.stderr).toContain(`cannot read the services in ${directory}: EISDIR`);
  expect(service).toExitWith(2);
  const command = await runTool(['backup'], { env: { ...base, BEFORE_BACKUP: 'true\nfalse' } });
  expect(command.stderr).toContain('a command in one line');
  expect(command).toExitWith(2);
});
