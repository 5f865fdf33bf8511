import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { quoteIdentifier } from '../../src/base/sql.ts';
import { execute } from '../../src/postgres/psql.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { ageKeys, hasAge } from '../support/keys.ts';
import { startFreshServer } from '../support/own-server.ts';
import { temporaryRole } from '../support/roles.ts';
import { sql, temporaryDatabase } from '../support/server.ts';

/** Does what a page says, word by word, but for where the server and the key are. */
async function follow(
  page: string,
  directory: string,
  { connection }: Awaited<ReturnType<typeof startFreshServer>>['server'],
  keyFile = '',
): Promise<string> {
  const blocks = [...page.matchAll(/^```bash\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const script = blocks
    .join('')
    .replace('PGHOST=localhost PGPORT=5432', `PGHOST=${connection.host} PGPORT=${connection.port}`)
    .replaceAll('KEY_FILE', keyFile);
  const ending = await execa('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    cwd: directory,
    env: { PATH: process.env.PATH, PGPASSWORD: connection.password },
    extendEnv: false,
    reject: false,
  });
  expect(ending).toExitWith(0);
  return ending.stdout;
}

const pageIn = (directory: string) => readFile(join(directory, 'RECOVERY.md'), 'utf8');

test('with nothing but the page and the files, everything comes back', async () => {
  const role = await temporaryRole();
  const made = await backedUp(
    `CREATE TABLE t AS SELECT generate_series(1, 9) AS a; GRANT SELECT ON t TO "${role}";`,
  );
  const nas = await temporaryDirectory();
  const env = { OFFSITE_URL: `file://${nas}` };
  expect(await made.run(['backup'], { env })).toExitWith(0);
  expect(await pageIn(nas)).toBe(await pageIn(made.directory));
  for (const directory of [made.directory, nas]) {
    await using sandbox = await startFreshServer();
    await follow(await pageIn(directory), directory, sandbox.server);
    expect(await execute(sandbox.server, made.database, 'SELECT sum(a) FROM t;')).toBe('45\n');
    const may = `SELECT has_table_privilege('${role}', 't', 'SELECT');`;
    expect(await execute(sandbox.server, made.database, may)).toBe('t\n');
  }
});

test('names that a shell and PostgreSQL take for something else are quoted', async () => {
  const made = await backedUp();
  const database = `-it's "my" $HOME \`\n\`\`\`bash\ntouch a=b x=${randomBytes(4).toString('hex')}`;
  await sql(
    'postgres',
    `CREATE DATABASE ${quoteIdentifier(database)} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0;`,
  );
  onTestFinished(async () => {
    await sql('postgres', `DROP DATABASE ${quoteIdentifier(database)};`);
  });
  await sql(database, 'CREATE TABLE t AS SELECT 7 AS a;');
  expect(await made.run(['backup'], { env: { POSTGRES_DB: database } })).toExitWith(0);
  const page = await pageIn(made.directory);
  expect(page.match(/^```/gm)).toHaveLength(8);
  await using sandbox = await startFreshServer();
  await follow(page, made.directory, sandbox.server);
  expect(await execute(sandbox.server, database, 'SELECT a FROM t;')).toBe('7\n');
  expect(await execute(sandbox.server, database, 'SHOW server_encoding;')).toBe('LATIN1\n');
});

describe.skipIf(!hasAge).each([{ BACKUP_GLOBALS: 'false' }, { BACKUP_GLOBALS: 'true' }])(
  'encrypted, %o',
  (globals) => {
    test('it is opened with age; elsewhere nothing of what is in it is named', async () => {
      const role = await temporaryRole();
      const made = await backedUp(
        `CREATE TABLE t AS SELECT generate_series(1, 9) AS a; ${globals.BACKUP_GLOBALS === 'true' ? `GRANT SELECT ON t TO "${role}";` : ''}`,
      );
      const keys = await ageKeys();
      const nas = await temporaryDirectory();
      const env = { ...keys.toEncrypt, OFFSITE_URL: `file://${nas}`, ...globals };
      expect(await made.run(['backup'], { env })).toExitWith(0);
      const there = await pageIn(nas);
      expect(there).not.toContain(role);
      expect(there).not.toContain(made.database);
      expect(await pageIn(made.directory)).toContain(made.database);
      for (const directory of [made.directory, nas]) {
        await using sandbox = await startFreshServer();
        await follow(await pageIn(directory), directory, sandbox.server, keys.file);
        const database = directory === nas ? 'aifinance' : made.database;
        expect(await execute(sandbox.server, database, 'SELECT sum(a) FROM t;')).toBe('45\n');
      }
    });
  },
);

test('what functions need while rows are loaded is set before', async () => {
  const made = await backedUp();
  await sql(
    made.database,
    `ALTER DATABASE "${made.database}" SET app.most = '10'; ALTER DATABASE "${made.database}" SET search_path = public, "$user";`,
  );
  await sql(
    made.database,
    `CREATE FUNCTION few(integer) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 < current_setting('app.most')::integer $$;
     CREATE TABLE checked (a integer CHECK (few(a))); INSERT INTO checked VALUES (7);
     GRANT SELECT ON checked TO pg_read_all_data;`,
  );
  expect(await made.run(['backup'])).toExitWith(0);
  const page = await pageIn(made.directory);
  expect(page).not.toContain('CREATE ROLE "pg_read_all_data"');
  await using sandbox = await startFreshServer();
  await follow(page, made.directory, sandbox.server);
  expect(await execute(sandbox.server, made.database, 'SELECT a FROM checked;')).toBe('7\n');
});

test('another database in the same directory is not forgotten', async () => {
  const [made, other] = [await backedUp(), await temporaryDatabase('CREATE TABLE o (a integer);')];
  expect(await made.run(['backup'])).toExitWith(0);
  const second = await made.run(['backup', '--json'], { env: { POSTGRES_DB: other } });
  expect(second).toExitWith(0);
  const page = await pageIn(made.directory);
  expect(page).toContain(`backups of the PostgreSQL database "${other}"`);
  expect(page).toContain(
    `database "${made.database}" lie here, too, the newest is \`pratiko_backup_2`,
  );
});

test('a page of somebody else stays as it is, here and elsewhere', async () => {
  const made = await backedUp();
  const nas = await temporaryDirectory();
  const theirs = '# Our own notes\n';
  for (const directory of [made.directory, nas]) {
    await writeFile(join(directory, 'RECOVERY.md'), theirs);
  }
  const ending = await made.run(['backup'], { env: { OFFSITE_URL: `file://${nas}` } });
  expect(ending).toExitWith(0);
  expect([await pageIn(made.directory), await pageIn(nas)]).toEqual([theirs, theirs]);
});

test('so does a directory that is called so', async () => {
  const made = await backedUp();
  await rm(join(made.directory, 'RECOVERY.md'), { force: true });
  await mkdir(join(made.directory, 'RECOVERY.md'));
  expect(await made.run(['backup'])).toExitWith(0);
});

test('it tells of the newest backup, and is renewed where copies are, too', async () => {
  const made = await backedUp();
  const nas = await temporaryDirectory();
  const env = { OFFSITE_URL: `file://${nas}` };
  for (const _ of [1, 2]) {
    const { stdout } = await made.run(['backup', '--json'], { env });
    const { backup } = JSON.parse(stdout) as { backup: string };
    expect(await pageIn(made.directory)).toContain(backup);
    expect(await pageIn(nas)).toContain(backup);
  }
});
