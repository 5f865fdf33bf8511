import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { Session } from '../../src/postgres/psql-session.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { launch } from '../support/launch.ts';
import { databasesLike, server, sql } from '../support/server.ts';

test('a template is replaced, said to be none any more, and cannot be dropped', async () => {
  const { database, run } = await backedUp();
  await sql('postgres', `ALTER DATABASE ${database} IS_TEMPLATE true;`);
  onTestFinished(async () => {
    for (const name of await databasesLike(database))
      await sql('postgres', `ALTER DATABASE "${name}" IS_TEMPLATE false;`);
  });
  const { stderr, exitCode } = await run(['restore', '--yes', '--drop-old']);
  expect(stderr).toContain(`database "${database}" is a template, the new one will not be`);
  expect(stderr).toContain(`ALTER DATABASE "${database}" IS_TEMPLATE true`);
  expect(stderr).toContain('the previous database could not be dropped');
  expect(stderr).toMatch(/hint: ALTER DATABASE "\w+_before_\w+" IS_TEMPLATE false; DROP DATABASE/);
  expect(stderr).toMatch(/restored, but "\w+_before_\w+" is still there/);
  expect(exitCode).toBe(3);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('settings that the server does not take are told, and the others are there', async () => {
  const { database, run, manifestPath } = await backedUp(
    'CREATE TABLE t AS SELECT generate_series(1, 10) AS a;',
  );
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as {
    database: { settings: { parameters: unknown[] } };
  };
  manifest.database.settings.parameters = [
    { role: null, name: 'timezone', value: 'Mars/Olympus' },
    { role: null, name: 'work_mem', value: '7MB' },
  ];
  await chmod(manifestPath, 0o600);
  await writeFile(manifestPath, JSON.stringify(manifest));
  await sql('postgres', `DROP DATABASE ${database};`);
  const restored = await run(['restore', '--yes']);
  expect(restored.stderr).toMatch(/the server refused "ALTER DATABASE .* SET "?timezone"? .*Mars/i);
  expect(restored).toExitWith(0);
  expect(await sql(database, 'SHOW work_mem;')).toBe('7MB');
});

test('what is refused is told, also where it cannot be written down', async () => {
  const { database, run, path } = await backedUp();
  const directory = await temporaryDirectory();
  const text = gunzipSync(await readFile(path)).toString();
  const edited = text.replace(/(?=^-- .*complete$)/m, 'ALTER TABLE t ADD COLUMN b nowhere;\n');
  await writeFile(join(directory, 'edited.sql'), edited, { mode: 0o644 });
  await chmod(dirname(directory), 0o1777);
  await chmod(directory, 0o555);
  const asNobody = process.getuid?.() === 0 ? { uid: 65534 } : {};
  const { stderr, exitCode } = await run(
    ['restore', '--yes', '--skip-refused', join(directory, 'edited.sql')],
    asNobody,
  );
  expect(stderr).toContain('the refused statements could not be written to a file: EACCES');
  expect(stderr).toContain('ALTER TABLE t ADD COLUMN b nowhere');
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  await chmod(directory, 0o700);
});

test('the session in which the new database is created is ended: nothing of it is left', async () => {
  const { database, env } = await backedUp();
  await using blocker = new Session(server, 'postgres');
  const restore = launch(['restore', '--yes'], env);
  await blocker.ask('BEGIN; LOCK TABLE pg_database IN SHARE ROW EXCLUSIVE MODE;');
  await expect
    .poll(() =>
      sql(
        'postgres',
        `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE "${database}%'
           AND wait_event_type = 'Lock' AND pg_terminate_backend(pid);`,
      ),
    )
    .toBe('1');
  await blocker.ask('COMMIT;');
  const { exitCode, stderr } = await restore;
  expect(stderr).toContain('the live database was not touched');
  expect(exitCode).toBe(22);
  expect(await databasesLike(database)).toEqual([database]);
});
