import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { demoDatabase } from '../../src/demo/database.ts';
import { backedUp } from '../support/backed-up.ts';
import { installation } from '../support/cli.ts';
import { nastyDatabase } from '../support/adversarial-database.ts';
import { databasesLike, dump, sql, temporaryDatabase } from '../support/server.ts';
import { ordinaryUser, temporaryRole } from '../support/roles.ts';
import { askAtTerminal } from '../support/terminal.ts';

describe('what comes back', () => {
  test('the demo database is the same after its loss and restore', async () => {
    const database = await temporaryDatabase(demoDatabase);
    const { run } = await installation(database);
    const before = await dump(database);
    expect(await run(['backup'])).toExitWith(0);
    await sql('postgres', `DROP DATABASE ${database};`);

    expect(await run(['restore', '--yes'])).toExitWith(0);

    expect(await dump(database)).toBe(before);
  });

  test('the nasty database is the same, swapped in over the live one', async () => {
    const role = await temporaryRole();
    const database = await temporaryDatabase(nastyDatabase(role));
    const { run } = await installation(database);
    const before = await dump(database);
    const backup = await run(['backup']);
    expect(backup).toExitWith(0);
    expect(backup.stderr).toContain('13 tables, 100,931 rows');
    await sql(database, 'DROP TABLE many; UPDATE one_column SET line = NULL;');

    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old']);

    expect(stderr).toContain('the previous database was dropped');
    expect(exitCode).toBe(0);
    expect(await dump(database)).toBe(before);
    expect(await databasesLike(database)).toEqual([database]);
    await sql('postgres', `DROP DATABASE ${database};`);
  });

  test('for a user whom an administrator has given little time and nothing to write', async () => {
    const { database, run } = await backedUp();
    const user = await ordinaryUser(database);
    await sql(
      'postgres',
      ['statement_timeout = 20', 'lock_timeout = 20', 'default_transaction_read_only = on']
        .map((setting) => `ALTER ROLE "${user.name}" SET ${setting};`)
        .join('\n'),
    );
    await sql(database, 'DELETE FROM t;');
    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old'], { env: user.env });
    expect(stderr).toContain(`restored "${database}"`);
    expect(exitCode).toBe(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  });

  test('a name with quotes, spaces, equals signs and accents works throughout', async () => {
    const database = await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;', `x'"= è;$do$%\\`);
    const { run } = await installation(database);
    expect(await run(['backup'])).toExitWith(0);
    await sql(database, 'DELETE FROM t;');

    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old']);

    expect(stderr).toContain(`restored "${database}"`);
    expect(exitCode).toBe(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1');
  });
});

describe('what is left behind', () => {
  test('the previous database stays under the name that is printed', async () => {
    const { database, run } = await backedUp();
    await sql(database, 'INSERT INTO t VALUES (2000);');

    const { stderr } = await run(['restore', '--yes']);

    const [, previous = ''] = /is kept as "(\w+_before_\d{8}_\d{6})"/.exec(stderr) ?? [];
    onTestFinished(() => sql('postgres', `DROP DATABASE ${previous};`).then(() => undefined));
    expect(await sql(previous, 'SELECT count(*) FROM t;')).toBe('1001');
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  });

  test('clients that are connected to the live database are ended, not waited for', async () => {
    const { database, run } = await backedUp();
    const sleeper = sql(database, 'SELECT pg_sleep(600);').catch((error: unknown) => error);

    expect(await run(['restore', '--yes', '--drop-old'])).toExitWith(0);

    expect(String(await sleeper)).toContain('terminating connection');
  });

  test.each([
    ['--to', (name: string) => ({ args: ['--to', name], env: {} })],
    ['DB_NAME', (name: string) => ({ args: [], env: { DB_NAME: name } })],
  ])('a rehearsal with %s does not touch the live database', async (_, rehearse) => {
    const { database, run } = await backedUp();
    await sql(database, 'DELETE FROM t;');
    const { args, env } = rehearse(`${database}_rehearsal`);
    onTestFinished(() =>
      sql('postgres', `DROP DATABASE ${database}_rehearsal;`).then(() => undefined),
    );

    expect(await run(['restore', '--yes', ...args], { env })).toExitWith(0);

    expect(await sql(`${database}_rehearsal`, 'SELECT count(*) FROM t;')).toBe('1000');
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');
  });

  test('objects of a role that does not exist go to the user who restores, with one warning', async () => {
    const role = await temporaryRole();
    const { database, run } = await backedUp(
      `CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO "${role}"; GRANT SELECT ON t TO "${role}", PUBLIC;`,
    );
    await sql('postgres', `DROP DATABASE ${database}; DROP ROLE "${role}";`);

    const { exitCode, stderr } = await run(['restore', '--yes']);

    expect(exitCode).toBe(0);
    expect(stderr).toContain(`cannot be assigned: ${role}`);
    expect(await sql(database, "SELECT tableowner FROM pg_tables WHERE tablename = 't';")).toBe(
      'aifinance',
    );
    expect(await dump(database)).toContain('GRANT SELECT ON TABLE public.t TO PUBLIC');
  });

  test('--no-owner and --no-privileges leave ownership and grants out', async () => {
    const role = await temporaryRole();
    const { database, run } = await backedUp(
      `CREATE TABLE t AS SELECT 1 AS a; ALTER TABLE t OWNER TO "${role}"; GRANT SELECT ON t TO PUBLIC;`,
    );

    await run(['restore', '--yes', '--drop-old', '--no-owner', '--no-privileges']);

    expect(await dump(database)).not.toMatch(/GRANT|OWNER TO "Role/);
    await sql('postgres', `DROP DATABASE ${database};`);
  });
});

test('an empty --to does not fall back to the live database', async () => {
  const { database, run } = await backedUp();
  await sql(database, 'DELETE FROM t;');
  const { exitCode, stderr } = await run(['restore', '--yes', '--to', '']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--dbname or --to on the command line is ""');
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');
});

test('a database whose owner is gone comes back, and belongs to who restores', async () => {
  const role = await temporaryRole();
  const { database, run } = await backedUp(
    `CREATE TABLE t AS SELECT 1 AS a; ALTER DATABASE :"DBNAME" OWNER TO "${role}";`,
  );
  await sql('postgres', `DROP DATABASE ${database}; DROP ROLE "${role}";`);

  const { exitCode, stderr } = await run(['restore', '--yes']);

  expect(stderr).toContain(`the database's owner "${role}" does not exist here`);
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1');
});

test('a locale that the new server does not have is replaced by its own, with a warning', async () => {
  const { database, run, manifestPath } = await backedUp();
  const manifest = await readFile(manifestPath, 'utf8');
  await writeFile(manifestPath, manifest.replace('"collate": "C"', '"collate": "xx_XX.utf8"'));
  await sql('postgres', `DROP DATABASE ${database};`);

  const { exitCode, stderr } = await run(['restore', '--yes']);

  expect(stderr).toContain("this server does not have the database's locale");
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('a manifest that makes no sense does not stand in the way', async () => {
  const { database, run, manifestPath } = await backedUp();
  await writeFile(manifestPath, '{}');
  await sql(database, 'DELETE FROM t;');
  const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old']);
  expect(stderr).toContain('makes no sense: going on without it');
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('where the latest backup is of another database, its own newest is taken', async () => {
  const { database, run, name } = await backedUp(
    'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;',
  );
  const other = await temporaryDatabase();
  await run(['backup', '--no-prune'], { env: { DB_NAME: other } });
  await sql(database, 'DELETE FROM t;');

  const { stderr } = await run(['restore', '--yes', '--drop-old']);
  expect(stderr).toContain(`taking the newest of "${database}"`);
  expect(stderr).toContain(`restoring ${name} `);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');

  onTestFinished(() => sql('postgres', `DROP DATABASE ${database}_x;`).then(() => undefined));
  const rehearsal = await run(['restore', 'latest', '--yes', '--to', `${database}_x`]);
  expect(rehearsal.stderr).toContain(
    `this is a backup of database "${other}", not of "${database}_x"`,
  );
});

test('a person at a terminal types the name of the database', async () => {
  const { database, env } = await backedUp();
  await sql(database, 'DELETE FROM t;');

  const wrong = await askAtTerminal(['restore', '--drop-old'], env, 'yes');
  expect(wrong.exitCode).toBe(2);
  expect(wrong.screen).toContain('Type the name of the database');
  expect(wrong.screen).toContain(`the answer was not "${database}"`);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');

  const right = await askAtTerminal(['restore', '--drop-old'], env, database);
  expect(right.exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('the latest backup is restored from a directory that the user cannot write to', async () => {
  const { database, run, directory, path, manifestPath } = await backedUp();
  await sql(database, 'DELETE FROM t;');
  await chmod(dirname(directory), 0o755);
  await chmod(directory, 0o555);
  for (const file of [path, manifestPath]) await chmod(file, 0o444);
  const asNobody = process.getuid?.() === 0 ? { uid: 65534 } : {};

  expect(await run(['restore', '--yes', '--drop-old'], asNobody)).toExitWith(0);

  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  await chmod(directory, 0o755);
});
