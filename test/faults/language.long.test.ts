import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../src/postgres/databases.ts';
import { execute } from '../../src/postgres/psql.ts';
import type { Sandbox } from '../../src/postgres/sandbox.ts';
import { isAvailable } from '../support/available.ts';
import { startOwnServer, toolFor } from '../support/own-server.ts';

const locale = 'de_DE.UTF-8';

const hasLocale = isAvailable(
  'sh',
  ['-c', `locale -a | grep -Eqi '^de_DE\\.utf-?8$'`],
  `locale ${locale} is missing: servers in German are NOT tested here`,
);

describe.skipIf(!hasLocale)('a server that speaks German', () => {
  let own: Sandbox;

  beforeAll(async () => {
    own = await startOwnServer({ lc_messages: locale });
    await createDatabase(own.server, 'app', undefined);
    await execute(own.server, 'app', 'CREATE TABLE t AS SELECT 1 AS a;');
    for (const role of ['without_right', 'not_so_often CONNECTION LIMIT 0']) {
      await execute(own.server, 'app', `CREATE ROLE ${role} LOGIN PASSWORD 'a password';`);
    }
  }, 60_000);
  afterAll(() => own[Symbol.asyncDispose]());

  const tool = (variables: Record<string, string> = {}) =>
    toolFor(own, { POSTGRES_DB: 'app', ...variables });

  test('really does', async () => {
    await expect(execute(own.server, 'app', 'SELECT nothing;')).rejects.toThrow(
      /Spalte »nothing« existiert nicht/,
    );
  });

  test.each<[string, Record<string, string>, number, RegExp]>([
    [
      'a wrong password',
      { POSTGRES_PASSWORD: 'wrong' },
      13,
      /does not accept the password of user "aifinance"; hint: .*POSTGRES_PASSWORD/,
    ],
    [
      'a database that is not there',
      { POSTGRES_DB: 'nowhere' },
      13,
      /there is no database "nowhere"/,
    ],
    [
      'a role that is not there',
      { POSTGRES_USER: 'nobody' },
      13,
      /does not accept the password of user "nobody"; hint: .*CREATE ROLE/,
    ],
    [
      'a missing privilege',
      { POSTGRES_USER: 'without_right' },
      13,
      /missing privilege: .*; hint: .*GRANT pg_read_all_data TO/,
    ],
    [
      'too many connections',
      { POSTGRES_USER: 'not_so_often' },
      13,
      /the server has no connection left; hint: .*max_connections/,
    ],
  ])('%s', async (_, env, exitCode, message) => {
    const run = await tool(env);
    const result = await run(['backup']);
    expect(result.stderr).toMatch(message);
    expect(result.exitCode).toBe(exitCode);
  });

  test('a locked table', async () => {
    const client = new Client({ ...own.server.connection, database: 'app' });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN; LOCK TABLE t;');
    const run = await tool();
    const { exitCode, stderr } = await run(['backup'], { LOCK_WAIT_TIMEOUT: '1' });
    expect(stderr).toMatch(/pg_dump waited too long for a locked table.*hint: .*LOCK_WAIT_TIMEOUT/);
    expect(exitCode).toBe(20);
  });

  test('what a restore is refused, with its cure', async () => {
    await createDatabase(own.server, 'relies', undefined);
    await execute(
      own.server,
      'relies',
      `CREATE TABLE t AS SELECT 1 AS a;
       CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END';
       CREATE MATERIALIZED VIEW m AS SELECT f();`,
    );
    const run = await tool({ POSTGRES_DB: 'relies' });
    expect(await run(['backup'])).toExitWith(0);
    const { exitCode, stderr } = await run(['restore', '--yes']);
    expect(stderr).toMatch(
      /Relation »t« existiert nicht .*ALTER FUNCTION public\.f\(\) SET search_path/,
    );
    expect(exitCode).toBe(22);
    expect(await run(['restore', '--yes', '--skip-refused'])).toExitWith(0);
  });

  test('money of a database with a currency of its own comes back as it was', async () => {
    await createDatabase(own.server, 'money', undefined);
    await execute(own.server, 'money', `ALTER DATABASE money SET lc_monetary TO '${locale}';`);
    await execute(
      own.server,
      'money',
      "CREATE TABLE price AS SELECT 12.50::numeric::money AS amount; CREATE TABLE s AS SELECT '1.234,50'::money AS a;",
    );
    const run = await tool({ POSTGRES_DB: 'money' });
    expect(await run(['backup'])).toExitWith(0);
    expect(await run(['restore', '--yes'])).toExitWith(0);
    const amounts = "SELECT amount::numeric || ' ' || (SELECT a FROM s) FROM price;";
    expect((await execute(own.server, 'money', amounts)).trim()).toBe('12.50 1.234,50 €');
  });
});
