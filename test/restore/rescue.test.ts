import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { execute } from '../../src/postgres/psql.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { backedUp } from '../support/backed-up.ts';
import { startFreshServer } from '../support/own-server.ts';
import { clientEnvironment, sql } from '../support/server.ts';

const root = new URL('../../', import.meta.url);
const read = (name: string) => readFile(fileURLToPath(new URL(name, root)), 'utf8');

test('without the tool, on a fresh server, the README leads to the end', async () => {
  const { directory, run } = await withOneBackup(
    'CREATE TABLE t AS SELECT generate_series(1, 9) AS a;',
  );
  const { stdout } = await run(['list', '--json']);
  const [{ name } = { name: '' }] = (JSON.parse(stdout) as { backups: { name: string }[] }).backups;
  const readme = await read('README.md');
  const block = /Is this tool itself gone.*?```bash\n(.*?)```/s.exec(readme)?.[1] ?? '';
  await using sandbox = await startFreshServer();
  const { connection } = sandbox.server;
  const commands = block
    .replaceAll('5433', String(connection.port))
    .replaceAll('localhost', '127.0.0.1')
    .replaceAll('pratiko_backup_20251129_020000.sql.gz', name);
  const rescue = await execa('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: directory,
    env: { PGPASSWORD: connection.password },
    reject: false,
  });
  expect(rescue).toExitWith(0);
  expect(await execute(sandbox.server, 'aifinance', 'SELECT sum(a) FROM t;')).toBe('45\n');
});

test('the example of the settings works as it is', async () => {
  const environment = parse(await read('.env.example'));
  const config = loadConfig({
    flags: {},
    environment,
    envFile: '/dev/null',
    projectRoot: '/',
    cwd: '/',
  });
  expect(config.connection).toEqual({
    host: 'localhost',
    port: 5433,
    database: 'aifinance',
    user: 'aifinance',
    password: 'devpass',
  });
});

test('rows that are missing come back from some tables as the README has it', async () => {
  const made = await backedUp(
    `CREATE TABLE knowledge_items (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text);
     INSERT INTO knowledge_items (title) SELECT 'così ' || g FROM generate_series(1, 100) AS g;`,
  );
  await sql(
    made.database,
    `DELETE FROM knowledge_items WHERE id > 50; UPDATE knowledge_items SET title = 'new' WHERE id = 1;
     INSERT INTO knowledge_items (title) SELECT 'later' FROM generate_series(1, 10);`,
  );
  const rescue = `${made.database}_rescue`;
  const restored = await made.run([
    'restore',
    '--yes',
    '--table',
    'knowledge_items',
    '--to',
    rescue,
  ]);
  expect(restored).toExitWith(0);
  expect(restored.stderr).toContain('to bring rows back from there, see the README (Some tables)');
  const block = /bring back what is missing.*?```bash\n(.*?)```/s.exec(
    await read('README.md'),
  )?.[1];
  const { PGHOST = '', PGPORT = '', PGUSER = '', ...env } = clientEnvironment(made.database);
  const commands = (block ?? '')
    .replace('localhost', PGHOST)
    .replace('5433', PGPORT)
    .replace('PGUSER=aifinance', `PGUSER=${PGUSER}`)
    .replaceAll('-d rescue', `-d ${rescue}`)
    .replaceAll('-d aifinance', `-d ${made.database}`);
  const done = await execa('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: made.directory,
    env,
    reject: false,
  });
  expect(done).toExitWith(0);
  const kept = `SELECT count(*), count(*) FILTER (WHERE title = 'new'), count(*) FILTER (WHERE title = 'later') FROM knowledge_items;`;
  expect(await sql(made.database, kept)).toBe('110|1|10');
  expect(
    await sql(made.database, "INSERT INTO knowledge_items (title) VALUES ('x') RETURNING id;"),
  ).toBe('111');
});
