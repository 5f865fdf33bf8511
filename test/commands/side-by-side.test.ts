import { describe, expect, test } from 'vitest';
import { installation } from '../support/cli.ts';
import { dump, sql, temporaryDatabase } from '../support/server.ts';

/** What must be the same however many sessions load it; tables over 8 MB are dealt out to several. */
const content = `
  CREATE TABLE a_lookup (id integer, name text);
  INSERT INTO a_lookup SELECT n, 'name ' || n FROM generate_series(1, 60000) AS n;
  CREATE FUNCTION name_of(i integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS 'SELECT name FROM public.a_lookup WHERE id = i LIMIT 1';
  CREATE TABLE b_document (id integer CHECK (name_of(id) IS NOT NULL),
    title text GENERATED ALWAYS AS (name_of(id)) STORED);
  INSERT INTO b_document SELECT n FROM generate_series(1, 300) AS n;

  CREATE TABLE c_tree (id integer, parent integer, text text);
  CREATE FUNCTION is_there(i integer) RETURNS boolean LANGUAGE plpgsql
    AS 'BEGIN RETURN EXISTS (SELECT FROM public.c_tree WHERE id = i); END';
  INSERT INTO c_tree SELECT n, nullif(greatest(n - 100, 0), 0), repeat(md5(n::text), 125)
    FROM generate_series(1, 3000) AS n;
  ALTER TABLE c_tree ADD CHECK (parent IS NULL OR is_there(parent));

  CREATE TABLE large (id integer PRIMARY KEY, a integer, b integer, text text);
  INSERT INTO large SELECT n, n % 10, n % 10, repeat('x', 60) FROM generate_series(1, 150000) AS n;
  CREATE STATISTICS together ON a, b FROM large;
  CREATE TABLE zz_refers (large_id integer REFERENCES large);
  INSERT INTO zz_refers VALUES (1), (150000);

  DO $do$ BEGIN FOR n IN 1..300 LOOP
    EXECUTE format('CREATE FUNCTION f%s(x integer) RETURNS integer LANGUAGE sql
      BEGIN ATOMIC SELECT x + 1; SELECT CASE x WHEN 1 THEN 2 END; END', n);
    EXECUTE format('CREATE RULE r%s AS ON DELETE TO zz_refers DO ALSO (SELECT %s; SELECT 2)', n, n);
  END LOOP; END $do$;`;

describe('what one session would load in its order comes back the same', () => {
  test.each(['1', '3'])('with %s jobs', async (jobs) => {
    const database = await temporaryDatabase(content);
    const { run } = await installation(database);
    expect(await run(['backup'])).toExitWith(0);
    const schema = await dump(database, '--schema-only');

    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old', '--jobs', jobs]);

    expect(stderr).toContain(`restored "${database}"`);
    expect(exitCode).toBe(0);
    expect(await dump(database, '--schema-only')).toBe(schema);
    const state = `SELECT count(title) FROM b_document; SELECT count(*), sum(id) FROM large;
      SELECT count(*) FROM pg_statistic_ext_data; SELECT count(*) FROM pg_stats WHERE tablename = 'large';`;
    expect(await sql(database, state)).toBe('300\n150000|11250075000\n1\n4');
  });

  test('with the server of a foreign table away, statistics are a warning', async () => {
    const database = await temporaryDatabase(`
      CREATE EXTENSION file_fdw; CREATE SERVER gone FOREIGN DATA WRAPPER file_fdw;
      CREATE TABLE parent (a integer, text text);
      CREATE FOREIGN TABLE archived () INHERITS (parent) SERVER gone OPTIONS (filename '/nonexistent');
      INSERT INTO parent SELECT n, repeat('x', 100) FROM generate_series(1, 100000) AS n;
      CREATE TABLE zz AS SELECT 1 AS a;`);
    const { run } = await installation(database);
    await run(['backup']);
    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old', '--jobs', '2']);
    expect(stderr).toContain('WARN: ANALYZE failed');
    expect(exitCode).toBe(0);
  });
});
