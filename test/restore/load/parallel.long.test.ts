import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installation } from '../../support/cli.ts';
import { dump, sql, temporaryDatabase } from '../../support/server.ts';

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

describe('what only the order of the dump allows is loaded in it', () => {
  const header = '--\n-- PostgreSQL database dump\n--\n\n';
  const marker = '\n--\n-- PostgreSQL database dump complete\n--\n\n';
  const rows = (count: number, line: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('');

  test.each<[string, string, string, string]>([
    [
      'a transaction of the file',
      `CREATE TABLE public.t (a integer);\nBEGIN;\nALTER TABLE public.t DISABLE TRIGGER ALL;\nCOPY public.t (a) FROM stdin;\n1\n\\.\nALTER TABLE public.t ENABLE TRIGGER ALL;\nCOMMIT;\n`,
      'SELECT count(*) FROM t;',
      '1',
    ],
    [
      'a table that the transaction creates',
      `BEGIN;\nCREATE TABLE public.t (a integer);\nCOPY public.t (a) FROM stdin;\n1\n2\n\\.\nCOMMIT;\nCREATE INDEX i ON public.t USING btree (a);\n`,
      'SELECT count(*) FROM t;',
      '2',
    ],
    [
      'a key of partitions that asks another table',
      `CREATE TABLE public.a (c text, r text);\nCREATE FUNCTION public.region(c text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT r FROM public.a WHERE a.c = $1); END';\nCREATE TABLE public.p (c text) PARTITION BY LIST (public.region(c));\nCREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN ('eu');\nCOPY public.a (c, r) FROM stdin;\n${rows(60_000, (n) => `c${n}\teu`)}\\.\nCOPY public.p1 (c) FROM stdin;\nc59999\n\\.\n`,
      'SELECT count(*) FROM p;',
      '1',
    ],
    [
      'a default of a column that the rows leave out',
      `CREATE TABLE public.a (n integer);\nCREATE FUNCTION public.total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.a';\nCREATE TABLE public.b (x integer, total bigint DEFAULT public.total());\nCOPY public.a (n) FROM stdin;\n${rows(60_000, String)}\\.\nCOPY public.b (x) FROM stdin;\n1\n\\.\nCREATE TABLE public.c (n integer);\n`,
      'SELECT total FROM b;',
      '60000',
    ],
    [
      'a trigger that fires while rows are loaded',
      `CREATE TABLE public.a (n integer);\nCREATE TABLE public.b (x integer, total bigint);\nCREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.total := (SELECT count(*) FROM public.a); RETURN NEW; END';\nCREATE TRIGGER f BEFORE INSERT ON public.b FOR EACH ROW EXECUTE FUNCTION public.fill();\nCOPY public.a (n) FROM stdin;\n${rows(60_000, String)}\\.\nCOPY public.b (x) FROM stdin;\n1\n\\.\n`,
      'SELECT total FROM b;',
      '60000',
    ],
    [
      'a domain whose check asks another table',
      `CREATE TABLE public.a (n integer);\nCREATE FUNCTION public.known(integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.a WHERE n = $1); END';\nCREATE DOMAIN public.d AS integer CHECK (public.known(VALUE));\nCREATE TABLE public.b (x public.d[]);\nCOPY public.a (n) FROM stdin;\n${rows(60_000, String)}\\.\nCOPY public.b (x) FROM stdin;\n{59999}\n\\.\n`,
      'SELECT count(*) FROM b;',
      '1',
    ],
    [
      'what only falling back can mend: a table of the session',
      `CREATE TABLE public.a (n integer);\nCOPY public.a (n) FROM stdin;\n1\n\\.\nCREATE TEMPORARY TABLE x (n integer);\nCOPY x (n) FROM stdin;\n${rows(60_000, () => '7')}\\.\nINSERT INTO public.a SELECT n FROM x LIMIT 1;\n`,
      'SELECT sum(n) FROM a;',
      '8',
    ],
  ])('%s', async (_, body, question, answer) => {
    const database = await temporaryDatabase();
    const { run, directory } = await installation(database);
    const path = join(directory, 'foreign.sql');
    await writeFile(path, header + body + marker);
    expect(await run(['restore', path, '--yes', '--jobs', '3'])).toExitWith(0);
    expect(await sql(database, question)).toBe(answer);
  });

  test('what cannot be built is told by its line, also among tiny tables', async () => {
    const body = ['a', 'b', 'c', 'd']
      .map(
        (name) =>
          `CREATE TABLE public.${name} (n integer);\nCOPY public.${name} (n) FROM stdin;\n1\n${name === 'c' ? 1 : 2}\n\\.\n`,
      )
      .concat(
        ['a', 'b', 'c', 'd'].map(
          (name) =>
            `\nALTER TABLE ONLY public.${name}\n    ADD CONSTRAINT ${name}_key PRIMARY KEY (n);\n`,
        ),
      )
      .join('');
    const { run, directory } = await installation(await temporaryDatabase());
    const path = join(directory, 'foreign.sql');
    const text = header + body + marker;
    await writeFile(path, text);
    const { exitCode, stderr } = await run(['restore', path, '--yes', '--jobs', '3']);
    expect(exitCode).toBe(22);
    const line = text.split('\n').findIndex((each) => each.includes('c_key')) + 1;
    expect(stderr).toMatch(
      new RegExp(
        `side by side did not work, .*: the server refused the dump at line ${line}: could not create unique index`,
      ),
    );
    expect(stderr).toMatch(new RegExp(`ERROR: .*at line ${line}: could not create unique index`));
  });
});
