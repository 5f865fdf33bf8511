import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { installation } from '../support/cli.ts';
import { nastyDatabase } from '../support/nasty-database.ts';
import { dump, server, sql, temporaryDatabase } from '../support/server.ts';

const stamp = '20251129_140000';

/** A backup made exactly as the old script made it. */
async function oldBackup(database: string, directory: string): Promise<void> {
  const command = `pg_dump --format=plain --no-owner --no-acl --verbose 2>&1 | gzip > "$0"`;
  await promisify(execFile)(
    'sh',
    ['-c', command, join(directory, `pratiko_backup_${stamp}.sql.gz`)],
    {
      env: libpqEnvironment(server.environment, server.connection, database),
    },
  );
}

test('a backup of the old script is listed, verified and restored to what it was', async () => {
  const database = await temporaryDatabase(
    `${nastyDatabase('aifinance')}
     CREATE TABLE first_row (line text);
     INSERT INTO first_row VALUES ('pg_dump: dumping contents of table "public.first_row"'), ('pg_dump: reading schemas');
     ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM aifinance;`,
  );
  const { run, directory } = await installation(database);
  await oldBackup(database, directory);
  const before = (await dump(database)).replaceAll(
    /^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES).*\n/gm,
    '',
  );

  const verified = await run(['verify', stamp]);
  expect(verified.stdout).toMatch(
    /good: 12 tables, 100,929 rows, .* \(made by the old script: \d+ progress messages inside; restorable\)/,
  );
  expect(verified.exitCode).toBe(0);
  expect((await run(['list'])).stdout).toContain('not verified');

  onTestFinished(() =>
    sql('postgres', `DROP DATABASE IF EXISTS ${database}_old;`).then(() => undefined),
  );
  const restored = await run(['restore', stamp, '--yes', '--to', `${database}_old`]);
  expect(restored.stderr).toContain('12 tables, 100,929 rows');
  expect(restored.exitCode).toBe(0);
  const after = (await dump(`${database}_old`)).replaceAll(/^(GRANT|REVOKE).*\n/gm, '');
  const withoutHeaders = (text: string) =>
    text.replaceAll(/^--.*\n/gm, '').replaceAll(/\n\n+/g, '\n');
  expect(withoutHeaders(after)).toBe(withoutHeaders(before));
});
