import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { execute } from '../../src/postgres/psql.ts';
import { nastyDatabase } from '../support/adversarial-database.ts';
import { backedUp } from '../support/backed-up.ts';
import { launch } from '../support/launch.ts';
import { oldScript } from '../support/old-script.ts';
import { temporaryRole } from '../support/roles.ts';
import { dump, server, sql, temporaryDatabase } from '../support/server.ts';

const library = `
  CREATE SCHEMA "Odd; Schema";
  CREATE TYPE mood AS ENUM ('good', 'bad'); COMMENT ON TYPE mood IS 'how it is';
  CREATE DOMAIN "Odd; Schema".short AS text CHECK (length(VALUE) < 20);
  CREATE TYPE unrelated AS ENUM ('x');
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION nobody() RETURNS integer LANGUAGE sql AS 'SELECT 1';
  CREATE SEQUENCE counter START 7; SELECT nextval('counter');
  CREATE TABLE authors (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
  INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 5) AS n;
  CREATE TABLE "Odd; Schema"."Books; COPY" (
    id serial PRIMARY KEY, author integer REFERENCES authors, feeling mood DEFAULT 'good',
    title "Odd; Schema".short UNIQUE, number bigint DEFAULT nextval('counter')
  );
  INSERT INTO "Odd; Schema"."Books; COPY" (author, title) SELECT n, E'title\\n' || n FROM generate_series(1, 5) AS n;
  CREATE INDEX books_title ON "Odd; Schema"."Books; COPY" (lower(title));
  CREATE STATISTICS books_stats ON author, title FROM "Odd; Schema"."Books; COPY";
  COMMENT ON COLUMN "Odd; Schema"."Books; COPY".title IS 'as printed';
  CREATE TRIGGER touched BEFORE UPDATE ON "Odd; Schema"."Books; COPY" FOR EACH ROW EXECUTE FUNCTION touch();
  ALTER TABLE "Odd; Schema"."Books; COPY" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY all_of_them ON "Odd; Schema"."Books; COPY" USING (true);
  GRANT SELECT ON "Odd; Schema"."Books; COPY" TO PUBLIC;
  CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
  CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE INDEX events_at ON events (at);
  INSERT INTO events SELECT '2025-12-30'::date + n, 'event' FROM generate_series(0, 9) AS n;
  CREATE TABLE ancestor (a integer); INSERT INTO ancestor VALUES (1);
  CREATE TABLE child (b integer) INHERITS (ancestor); INSERT INTO child VALUES (2, 3);
  CREATE VIEW everything AS SELECT * FROM authors;
  SELECT lo_from_bytea(0, '\\x0102');`;

/** Loads SQL into a new database, stopping at the first error, and gives its dump. */
async function loaded(text: string) {
  const database = await temporaryDatabase();
  await execute(server, database, text);
  return { database, objects: await objectsOf(database) };
}

const objectsOf = (database: string) =>
  sql(
    database,
    `SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
      WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'Odd; Schema')) AND relkind IN ('r', 'p', 'v', 'S', 'm');`,
  );

describe('everything', () => {
  test('is what gunzip gives, to the byte', async () => {
    const { run, path } = await backedUp(nastyDatabase(await temporaryRole()));
    const { stdout, exitCode } = await run(['extract']);
    expect(exitCode).toBe(0);
    expect(`${stdout}\n`).toBe(gunzipSync(await readFile(path)).toString());
    expect((await run(['extract', path, '-q'])).stderr).toBe('');
  });

  test('of a file of the old script is without its messages', async () => {
    const { run, directory, database } = await backedUp(library);
    const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
    await oldScript(database, path);
    const { stdout } = await run(['extract', '20250101_000000']);
    expect(stdout).not.toContain('pg_dump: ');
    const { database: copy } = await loaded(`${stdout}\n`);
    const withoutOwners = (text: string) =>
      text.replaceAll(/^(?:ALTER .* OWNER TO|GRANT) .*\n/gm, '');
    const names = (text: string) => text.match(/^-- Name: .*?; Type: (?!ACL).*?;/gm);
    expect(names(withoutOwners(await dump(copy)))).toEqual(
      names(withoutOwners(await dump(database))),
    );
  });

  test.each([
    ['--schema-only', /^CREATE TABLE/m, /^COPY |setval|lowrite/m],
    ['--data-only', /^COPY [^]*setval[^]*lowrite|lowrite[^]*setval/m, /^CREATE|^ALTER (?!LARGE)/m],
  ])('%s', async (option, there, missing) => {
    const { run } = await backedUp(library);
    const { stdout, exitCode } = await run(['extract', option]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(there);
    expect(stdout).not.toMatch(missing);
  });

  test('definitions and then rows give the same database', async () => {
    const { run, database } = await backedUp(library.replace(/REFERENCES authors/, ''));
    const [schema, data] = [
      await run(['extract', '--schema-only']),
      await run(['extract', '--data-only']),
    ];
    const { database: copy } = await loaded(`${schema.stdout}\n${data.stdout}\n`);
    expect(await dump(copy)).toBe(await dump(database));
  });
});

describe('some tables', () => {
  test.each([
    ['authors', 'authors authors_id_seq', 'authors', 5],
    [
      '"Odd; Schema"."Books; COPY"',
      'Books; COPY Books; COPY_id_seq counter',
      '"Odd; Schema"."Books; COPY"',
      5,
    ],
    ['books; copy', 'Books; COPY Books; COPY_id_seq counter', '"Odd; Schema"."Books; COPY"', 5],
    ['public.events', 'events events_2025 events_2026', 'events', 10],
    ['events_2025', 'events_2025', 'events_2025', 2],
    ['child', 'ancestor child', 'ancestor', 1],
    ['author?', 'authors authors_id_seq', 'authors', 5],
  ])('%s comes with what it needs, and nothing else', async (pattern, objects, table, rows) => {
    const { run } = await backedUp(library);
    const { stdout, exitCode } = await run(['extract', '--table', pattern]);
    expect(exitCode).toBe(0);
    const made = await loaded(`${stdout}\n`);
    expect(made.objects).toBe(objects);
    expect(await sql(made.database, `SELECT count(*) FROM ${table};`)).toBe(String(rows));
    expect(stdout).not.toContain('nobody');
    expect(stdout).not.toContain('unrelated');
  });

  test('come with the extensions that they use, and their schema; with what can be loaded alone', async () => {
    const { run } = await backedUp(`
      CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE EXTENSION pg_trgm;
      CREATE TABLE plain (a int); CREATE TABLE words (w ext.citext); INSERT INTO words VALUES ('Così');
      CREATE TABLE log (a int); CREATE RULE also AS ON INSERT TO plain DO ALSO INSERT INTO log VALUES (1);
      CREATE POLICY p ON plain USING (a IN (SELECT a FROM log)); ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
      CREATE TABLE rows (r plain); CREATE PUBLICATION pub FOR TABLE plain, words;
      CREATE FUNCTION takes(p plain) RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION takes(plain) IS 'x';`);
    for (const [table, there, missing] of [
      [
        'plain',
        'CREATE TABLE public.plain',
        /CREATE EXTENSION|CREATE RULE|CREATE POLICY|PUBLICATION|takes/,
      ],
      ['words', 'CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA ext', /pg_trgm/],
      ['rows', 'CREATE TABLE public.plain', /COPY public\.plain/],
    ] as const) {
      const { stdout } = await run(['extract', '--table', table]);
      expect(stdout).toContain(there);
      expect(stdout).not.toMatch(missing);
      await loaded(`${stdout}\n`);
    }
    const { stderr } = await run(['extract', '--table', 'plain']);
    expect(
      stderr.match(/left out, for it needs a table that was not chosen: CREATE (?:RULE|POLICY)/g),
    ).toHaveLength(2);
  });

  test('come with what only something else mentions: mappings of searches, operators, casts; not with large objects', async () => {
    const { run } = await backedUp(String.raw`
      CREATE SCHEMA ext; CREATE EXTENSION unaccent SCHEMA ext;
      CREATE TEXT SEARCH DICTIONARY plain_words (TEMPLATE = simple);
      CREATE TEXT SEARCH CONFIGURATION it (COPY = italian);
      ALTER TEXT SEARCH CONFIGURATION it ALTER MAPPING FOR hword, word WITH ext.unaccent, plain_words, italian_stem;
      CREATE FUNCTION tens(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 10 + $2';
      CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = tens);
      CREATE TYPE mood AS ENUM ('sad', 'glad');
      CREATE FUNCTION number_of(mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 7';
      CREATE CAST (mood AS int) WITH FUNCTION number_of(mood) AS ASSIGNMENT;
      CREATE TYPE span AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = spans);
      CREATE TABLE texts (body text, m mood, picture oid, s spans,
        v tsvector GENERATED ALWAYS AS (to_tsvector('public.it', body)) STORED,
        o int GENERATED ALWAYS AS (length(body) <+> 1) STORED,
        c int GENERATED ALWAYS AS (m::int) STORED);
      INSERT INTO texts VALUES ('così', 'glad', lo_from_bytea(0, '\x01'));
      CREATE OPERATOR <-+> (LEFTARG = text, RIGHTARG = text, FUNCTION = texticlike);
      CREATE TABLE unrelated (a int);`);
    const { stdout, stderr } = await run(['extract', '--table', 'texts']);
    const made = await loaded(`${stdout}\n`);
    expect(await sql(made.database, 'SELECT o, c, v FROM texts;')).toBe(`41|7|'cosi':1`);
    expect(stdout).not.toContain('<-+>');
    expect(stdout).not.toContain('unrelated');
    expect(stderr).toContain(
      'WARN: left out, for they belong to no table: large objects, to which public.texts can refer',
    );
  });

  test('come with types, functions, indexes, comments, privileges, policies and values of sequences', async () => {
    const { run, database } = await backedUp(library);
    const { stdout, stderr } = await run(['extract', '--table', 'authors', 'Books*']);
    expect(stderr).toBe('');
    const copy = (await loaded(`${stdout}\n`)).database;
    for (const question of [
      `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '"Odd; Schema"."Books; COPY"'::regclass ORDER BY conname;`,
      `SELECT indexdef FROM pg_indexes WHERE tablename = 'Books; COPY' ORDER BY 1;`,
      'SELECT stxname FROM pg_statistic_ext;',
      `SELECT tgname, tgfoid::regproc FROM pg_trigger WHERE NOT tgisinternal;`,
      `SELECT obj_description('mood'::regtype, 'pg_type'), col_description('"Odd; Schema"."Books; COPY"'::regclass, 4);`,
      `SELECT relacl, relrowsecurity FROM pg_class WHERE relname = 'Books; COPY';`,
      'SELECT polname FROM pg_policy;',
      'SELECT last_value, is_called FROM counter;',
      'SELECT last_value, is_called FROM authors_id_seq;',
    ]) {
      expect(await sql(copy, question), question).toBe(await sql(database, question));
    }
  });

  test('a foreign key to a table that was not chosen is left out, and that is said', async () => {
    const { run } = await backedUp(library);
    const { stdout, stderr } = await run(['extract', '--table', 'Books*']);
    expect(stdout).not.toContain('REFERENCES');
    expect(stderr).toMatch(
      /WARN: left out, for it needs a table that was not chosen: ALTER TABLE .* REFERENCES public\.authors/,
    );
    const rows = await run(['extract', '--table', 'Books*', '--data-only']);
    expect(rows.stdout).not.toContain('CREATE');
    expect(rows.stderr).toBe('');
    expect(rows.stdout).toMatch(/COPY "Odd; Schema"\."Books; COPY"[^]*setval\('public\.counter'/);
  });

  test('one that is not there is an error with near names, and nothing is printed', async () => {
    const { run } = await backedUp(library);
    const { stdout, stderr, exitCode } = await run(['extract', '--table', 'autors']);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      'ERROR: no table of the backup is called autors; hint: the nearest: public.authors',
    );
    expect(exitCode).toBe(2);
    expect(await run(['extract', '--table', 'authors', 'nothing*'])).toExitWith(2);
    expect(await run(['extract', '--json'])).toExitWith(2);
    expect(await run(['extract', '--schema-only', '--data-only'])).toExitWith(2);
    expect(await run(['extract', '19990101'])).toExitWith(10);
  });
});

test('a damaged backup ends with 21, behind what could be read', async () => {
  const { run, path } = await backedUp(nastyDatabase(await temporaryRole()));
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
  const { stdout, stderr, exitCode } = await run(['extract']);
  expect(stdout).toContain('CREATE TABLE');
  expect(stderr).toMatch(/ERROR: \S+ is not good: /);
  expect(exitCode).toBe(21);
  expect(await run(['extract', '--table', 'nowhere'])).toExitWith(21);
});

test('a reader that goes away ends it, without a word', async () => {
  const { env } = await backedUp(
    'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 9) FROM generate_series(1, 50000) AS n;',
  );
  const running = launch(['extract'], env);
  running.stdout.once('data', () => running.stdout.destroy());
  const { exitCode, stderr } = await running;
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
});

describe('restore --table', () => {
  test.each(['1', '2'])('loads only these into a new database (--jobs %s)', async (jobs) => {
    const { run, database } = await backedUp(library);
    const to = `${database}_some`;
    const args = ['restore', '--table', 'authors', 'Books*', '--to', to, '--jobs', jobs];
    const plan = await run([...args, '--dry-run']);
    expect(plan).toExitWith(0);
    const restored = await run([...args, '--yes']);
    expect(restored).toExitWith(0);
    expect(restored.stderr).toContain('2 tables, 10 rows');
    expect(await objectsOf(to)).toBe(
      'Books; COPY Books; COPY_id_seq authors authors_id_seq counter',
    );
    const again = await run([...args, '--yes']);
    expect(again.stderr).toContain('some tables never take the place of a whole one');
    expect(again).toExitWith(22);
  });

  test('tells the line of the file where the server refuses something', async () => {
    const { run, database } = await backedUp(
      `CREATE TABLE logs AS SELECT generate_series(1, 5000); CREATE TABLE t AS SELECT generate_series(1, 10) AS a;
       CREATE FUNCTION strict(integer) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 < 100 OR current_database() LIKE ''test%''';
       ALTER TABLE t ADD CHECK (strict(a)); INSERT INTO t VALUES (500);`,
    );
    const args = ['restore', '--table', 't', '--to', `x${database}`, '--yes'];
    const refused = await run(args);
    expect(refused.stderr).toMatch(/at line \d+.*COPY public\.t/);
    expect(refused).toExitWith(22);
  });

  test('needs a name for the new database, and tables that are there', async () => {
    const { run, database } = await backedUp();
    expect(await run(['restore', '--table', 't', '--yes'])).toExitWith(2);
    const unknown = await run(['restore', '--table', 'tt', '--to', `${database}_x`, '--yes']);
    expect(unknown.stderr).toContain('the nearest: public.t');
    expect(unknown).toExitWith(2);
  });
});

test('what is no plain dump is not extracted from: it says what it is', async () => {
  const { run, directory } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  const path = join(directory, 'custom.dump');
  await writeFile(path, Buffer.concat([Buffer.from('PGDMP'), Buffer.alloc(100)]));
  const { stderr, stdout, exitCode } = await run(['extract', path]);
  expect(stderr).toContain("custom.dump is a dump in pg_dump's custom format");
  expect(stdout).toBe('');
  expect(exitCode).toBe(21);
});
