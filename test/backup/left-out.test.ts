import { expect, onTestFinished, test } from 'vitest';
import { backedUp } from '../support/backed-up.ts';
import { ordinaryUser } from '../support/roles.ts';
import { sql } from '../support/server.ts';

const tables = `
  CREATE SCHEMA audit;
  CREATE TABLE users (id serial PRIMARY KEY, name text);
  INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 50) AS n;
  CREATE TABLE audit.log (id bigint GENERATED ALWAYS AS IDENTITY, what text);
  INSERT INTO audit.log (what) SELECT md5(n::text) FROM generate_series(1, 2000) AS n;
  CREATE TABLE audit."Odd one" AS SELECT generate_series(1, 20) AS n;
  CREATE TABLE parts (n int) PARTITION BY RANGE (n);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
  INSERT INTO parts SELECT generate_series(1, 9);
  CREATE MATERIALIZED VIEW audit.sums AS SELECT count(*) AS n FROM audit.log;`;

test('what pg_dump leaves out by itself is told', async () => {
  const { run, database } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  await sql(
    database,
    `CREATE SUBSCRIPTION s_${database} CONNECTION 'dbname=nowhere' PUBLICATION p
       WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE);`,
  );
  onTestFinished(() => sql(database, `DROP SUBSCRIPTION s_${database};`).then(() => undefined));
  const { env } = await ordinaryUser(database);
  const made = await run(['backup'], { env });
  expect(made.stderr).toContain('WARN: pg_dump: subscriptions not dumped because');
  expect(made).toExitWith(0);
});

test('rows that are left out are told by backup, list, verify, the drill and a restore', async () => {
  const { run, database } = await backedUp(tables);
  const env = { BACKUP_EXCLUDE_TABLE_DATA: 'audit.* parts_1' };
  const backup = await run(['backup', '--json'], { env });
  expect(backup).toExitWith(0);
  // Neither a table that is left out nor the room that it took is a loss.
  expect(backup.stderr).not.toContain('WARN');
  const manifest = JSON.parse(backup.stdout) as { tables: { table: string }[]; leftOut: unknown };
  expect(manifest.leftOut).toEqual({
    tables: ['audit."Odd one"', 'audit.log', 'audit.sums', 'public.parts_1'],
    sequences: ['audit.log_id_seq'],
  });
  expect(manifest.tables.map(({ table }) => table)).toEqual(['public.users']);

  expect((await run(['list'])).stdout).toContain('without the rows of 4 tables');
  expect((await run(['list', 'latest'])).stdout).toContain(
    'left out    audit."Odd one", audit.log, audit.sums, public.parts_1, sequence audit.log_id_seq',
  );
  expect((await run(['verify'])).stdout).toContain('good: 1 table, 50 rows');
  const drill = await run(['verify', '--restore'], { env });
  expect(drill).toExitWith(0);
  expect(drill.stdout).toContain('proven');

  const restore = await run(['restore', '--yes']);
  expect(restore).toExitWith(0);
  expect(restore.stderr).toContain(
    'these tables will be empty: audit."Odd one", audit.log, audit.sums, public.parts_1',
  );
  expect(restore.stderr).toContain('these sequences will begin anew: audit.log_id_seq');
  expect(await sql(database, 'SELECT count(*) FROM users;')).toBe('50');
  expect(await sql(database, 'SELECT count(*) FROM audit.log;')).toBe('0');

  // The next night, when the tables are empty, nothing is missing.
  const next = await run(['backup'], { env });
  expect(next.stderr).not.toContain('WARN');
});

test('a pattern that matches nothing is told, one that makes no sense fails', async () => {
  const { run } = await backedUp(tables);
  const typing = await run(['backup'], { env: { BACKUP_EXCLUDE_TABLE_DATA: 'logs' } });
  expect(typing).toExitWith(0);
  expect(typing.stderr).toContain('(logs) matches no table: all rows are in the backup');
  const odd = await run(['backup', '--json'], {
    env: { BACKUP_EXCLUDE_TABLE_DATA: 'audit."Odd one"' },
  });
  expect(JSON.parse(odd.stdout)).toMatchObject({ leftOut: { tables: ['audit."Odd one"'] } });
  const open = await run(['backup'], { env: { BACKUP_EXCLUDE_TABLE_DATA: '"log' } });
  expect(open).toExitWith(2);
  const dots = await run(['backup'], { env: { BACKUP_EXCLUDE_TABLE_DATA: 'a.b.c.d' } });
  expect(dots).toExitWith(20);
  expect(dots.stderr).toContain('too many dotted names');
});

test('where others need what is left out, that is told when it is made, and how a restore goes on', async () => {
  const { run, database } = await backedUp(`
    CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
    CREATE TABLE child (parent int REFERENCES parent); INSERT INTO child VALUES (1);
    CREATE TABLE nobody (parent int REFERENCES parent);
    CREATE MATERIALIZED VIEW one AS SELECT * FROM child;
    CREATE MATERIALIZED VIEW two AS SELECT * FROM one;`);
  const env = { BACKUP_EXCLUDE_TABLE_DATA: 'parent one' };
  const backup = await run(['backup'], { env });
  expect(backup).toExitWith(0);
  expect(backup.stderr).toContain(
    'public.child needs what public.parent holds, and that is left out',
  );
  expect(backup.stderr).toContain('public.two needs what public.one holds');
  expect(backup.stderr).not.toContain('public.nobody');
  const refused = await run(['restore', '--yes']);
  expect(refused).toExitWith(22);
  expect(refused.stderr).toMatch(/rows were left out of this backup[^]*--skip-refused/);
  expect(await run(['restore', '--yes', '--skip-refused'])).toExitWith(0);
  expect(await sql(database, 'SELECT count(*) FROM child;')).toBe('1');
});
