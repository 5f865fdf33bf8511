import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
