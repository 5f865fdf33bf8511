import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { execute } from '../../src/postgres/psql.ts';
import { withOneBackup } from '../support/aged-backups.ts';
import { startFreshServer } from '../support/own-server.ts';

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
