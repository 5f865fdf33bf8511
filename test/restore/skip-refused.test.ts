import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { backedUp, handMade } from '../support/backed-up.ts';
import { temporaryRole } from '../support/roles.ts';
import { clientEnvironment, databasesLike, sql } from '../support/server.ts';
import { askAtTerminal } from '../support/terminal.ts';

const reliesOnPath = `
  CREATE TABLE t AS SELECT 1 AS a;
  CREATE FUNCTION count_t(i integer) RETURNS bigint LANGUAGE plpgsql STABLE
    AS 'BEGIN RETURN (SELECT count(*) FROM t WHERE a = i); END';
  CREATE MATERIALIZED VIEW m AS SELECT count_t(1) AS c;`;

/** One table that can be created, and one of a type that is not there. */
const withoutType = `
CREATE TABLE public.good (a integer);
--
-- Name: bad; Type: TABLE; Schema: public; Owner: x
--
CREATE TABLE public.bad (
    b public.no_such_type
);
COMMENT ON TABLE public.bad IS 'of ''nothing''';
COPY public.bad (b) FROM stdin;
DROP TABLE public.good;
it's
\\.
COPY public.good (a) FROM stdin;
1
2
\\.
CREATE INDEX bad_b ON public.bad USING btree (b);
ALTER TABLE ONLY public.good ADD CONSTRAINT good_pkey PRIMARY KEY (a);
CREATE VIEW public.of_bad AS SELECT b FROM public.bad;
`;

test('a function that relies on search_path: the refused statement, its cure, and a way on', async () => {
  const made = await backedUp(reliesOnPath);
  const failed = await made.run(['restore', '--yes']);
  expect(failed.stderr).toMatch(
    /ERROR: the server refused the dump at line \d+: relation "t" does not exist \(context: PL\/pgSQL function public\.count_t\(integer\).*\) \(MATERIALIZED VIEW DATA public\.m: REFRESH MATERIALIZED VIEW public\.m;\); hint: function public\.count_t\(integer\) relies on search_path, .*: ALTER FUNCTION public\.count_t\(integer\) SET search_path = public .*--skip-refused/,
  );
  expect(failed).toExitWith(22);

  const done = await made.run(['restore', '--yes', '--skip-refused']);
  expect(done).toExitWith(0);
  expect(done.stderr).toMatch(
    /WARN: the server refused MATERIALIZED VIEW DATA public\.m \(line \d+ of the dump\): relation "t" does not exist/,
  );
  const path = made.path.replace('.sql.gz', '.refused.sql');
  expect(done.stderr).toContain(`this is written to ${path}, to be run when`);
  expect(await sql(made.database, 'SELECT ispopulated FROM pg_matviews;')).toBe('f');
  await sql(
    made.database,
    `ALTER FUNCTION count_t SET search_path = public;\n${await readFile(path, 'utf8')}\nSELECT 1;`,
  );
  expect(await sql(made.database, 'SELECT c FROM public.m;')).toBe('1');
  expect((await made.run(['list'])).stderr).not.toContain('refused');
});

test('a function that names its table with the schema does not lack search_path', async () => {
  const made = await backedUp(
    `${reliesOnPath.replaceAll('FROM t', 'FROM public.t')} DROP TABLE t;`,
  );
  const { stderr } = await made.run(['restore', '--yes', '--jobs', '1']);
  expect(stderr).toMatch(
    /relation "public\.t" does not exist .*hint: function public\.count_t\(integer\) needs a table that the dump creates only later, or not at all .*--skip-refused/,
  );
});

test('the same in a check: rows are never left out, and the command in the hint restores them', async () => {
  const made = await backedUp(`${reliesOnPath}
    DROP MATERIALIZED VIEW m;
    CREATE TABLE u (i integer CHECK (count_t(i) >= 0));
    INSERT INTO u VALUES (1), (2);`);
  for (const more of [[], ['--skip-refused']]) {
    const failed = await made.run(['restore', '--yes', ...more]);
    expect(failed).toExitWith(22);
    const [, command = ''] =
      /this backup: `(gunzip .*); pratiko-backup restore \.\/with_path\.sql/.exec(failed.stderr) ??
      [];
    await execa('sh', ['-c', command], { cwd: made.directory });
  }
  const fixed = await made.run(['restore', '--yes', join(made.directory, 'with_path.sql')]);
  expect(fixed).toExitWith(0);
  expect(await sql(made.database, 'SELECT sum(i) FROM u;')).toBe('3');
});

test('a table that cannot be created: its rows are passed over, what belongs to it is written down', async () => {
  const made = await backedUp();
  const path = await handMade(made.directory, withoutType);
  const { exitCode, stdout, stderr } = await made.run([
    ...['restore', path, '--yes', '--skip-refused', '--json'],
  ]);
  expect(stderr).toContain(
    'the server refused TABLE public.bad (line 10 of the dump): type "public.no_such_type" does not exist',
  );
  expect(stderr).toContain(
    'there will be no table public.bad: left out are 2 rows and 2 statements about it',
  );
  expect(stderr).toContain('the server refused CREATE VIEW public.of_bad AS SELECT b FROM');
  const refusedFile = path.replace('.sql.gz', '.refused.sql');
  const report: unknown = JSON.parse(stdout);
  expect(report).toMatchObject({
    tables: [{ table: 'public.good', rows: 2 }],
    refusedTables: [{ table: 'public.bad', rows: 2 }],
    refusedFile,
  });
  expect(exitCode).toBe(0);
  const have = "SELECT sum(a), count(*) FROM good; SELECT to_regclass('good_pkey');";
  expect(await sql(made.database, have)).toBe('3|2\ngood_pkey');
  // What was left out is SQL that works once its cause is gone.
  const leftOut = await readFile(refusedFile, 'utf8');
  await sql(made.database, `CREATE DOMAIN no_such_type AS text;\n${leftOut}`);
  expect(
    await sql(made.database, "SELECT to_regclass('bad_b'), obj_description('bad'::regclass);"),
  ).toBe("bad_b|of 'nothing'");
  const [, fetchRows = ''] = /^-- After this file: (.*)$/m.exec(leftOut) ?? [];
  await execa('sh', ['-c', fetchRows], {
    cwd: made.directory,
    env: clientEnvironment(made.database),
  });
  expect(await sql(made.database, 'SELECT b FROM bad ORDER BY b;')).toBe(
    "DROP TABLE public.good;\nit's",
  );
});

test('a person is shown what is left out before the swap, and may say no', async () => {
  const made = await backedUp();
  const path = await handMade(made.directory, withoutType);
  const ask = (last: string) =>
    askAtTerminal(['restore', path, '--skip-refused'], made.env, [made.database, last]);
  const no = await ask('no');
  expect(no.screen).toMatch(/there will be no table public\.bad.*Swap in ".*" without them\?/s);
  expect(no.screen).toContain('not confirmed');
  expect(no.exitCode).toBe(2);
  expect(await databasesLike(made.database)).toEqual([made.database]);
  const interrupted = await ask('\x03');
  expect(interrupted.exitCode).toBe(130);
  expect(await databasesLike(made.database)).toEqual([made.database]);
  expect((await ask(made.database)).exitCode).toBe(0);
  expect(await sql(made.database, 'SELECT sum(a) FROM good;')).toBe('3');
});

test.each([
  [
    'rows that a table which exists does not take',
    'CREATE TABLE public.a (n integer);\nCOPY public.a (n) FROM stdin;\n1\nx\n\\.\n',
    /the server refused rows of public\.a, which exists: .*never rows of a table that exists/,
  ],
  [
    'the same as INSERT',
    "CREATE TABLE public.a (n integer);\nINSERT INTO public.a VALUES ('x');\n",
    /the server refused rows of public\.a, which exists: /,
  ],
  [
    'something in a transaction of the file',
    'BEGIN;\nCREATE TABLE public.a (n integer);\nCREATE TABLE public.b (n nothing);\nCOMMIT;\n',
    /the server refused CREATE TABLE public\.b .* in a transaction of the dump, and all of that with it/,
  ],
])('nothing is swapped in where that would lose %s', async (_, body, message) => {
  const made = await backedUp();
  const path = await handMade(made.directory, body);
  const failed = await made.run(['restore', path, '--yes', '--skip-refused']);
  expect(failed.stderr).toMatch(message);
  expect(failed).toExitWith(22);
  expect(await databasesLike(made.database)).toEqual([made.database]);
  expect(await sql(made.database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('INSERTs of a table that is not there are counted; where nothing is refused, nothing is asked', async () => {
  const made = await backedUp();
  const path = await handMade(
    made.directory,
    `CREATE TABLE public.a (n nothing);\n${'INSERT INTO public.a VALUES (1);\n'.repeat(300)}`,
  );
  const { stderr } = await made.run(['restore', path, '--yes', '--skip-refused']);
  expect(stderr).toContain('there will be no table public.a: left out are at least 300 rows');
  const { screen } = await askAtTerminal(
    ['restore', made.path, '--skip-refused'],
    made.env,
    made.database,
  );
  expect(screen).not.toContain('without them');
  expect(await sql(made.database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('what is not in a dump of a schema: the hint says why, and that is how it restores', async () => {
  const made = await backedUp(
    'CREATE EXTENSION hstore; CREATE TABLE h AS SELECT hstore($$a$$, $$1$$) AS x;',
  );
  const whole = gunzipSync(await readFile(made.path)).toString();
  const path = join(made.directory, 'of_schema.sql');
  const part = whole.replaceAll(/^(?:CREATE EXTENSION|COMMENT ON EXTENSION) .*$/gm, '');
  await writeFile(path, part);
  const failed = await made.run(['restore', path, '--yes']);
  expect(failed.stderr).toMatch(
    /type "public\.hstore" does not exist \(TABLE public\.h: CREATE TABLE public\.h \(\); hint: .*a dump made with -n or -t has no extensions; put CREATE EXTENSION/,
  );
  await writeFile(path, `CREATE EXTENSION hstore;\n${part}`);
  expect(await made.run(['restore', path, '--yes'])).toExitWith(0);
});

test('a policy for a role that is not here is told before anything is created, and left out on request', async () => {
  const [reader, writer] = [await temporaryRole(), await temporaryRole()];
  const made = await backedUp(
    `CREATE TABLE t (a integer); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
     CREATE POLICY p ON t AS RESTRICTIVE FOR SELECT TO "${reader}", "${writer}" USING (true);`,
  );
  await sql(made.database, 'DROP TABLE t CASCADE;');
  await sql('postgres', `DROP ROLE "${writer}";`);
  const refused = await made.run(['restore', '--yes']);
  expect(refused.stderr).toContain(
    `row-security policies of the dump are for roles that are not on this server: ${writer}; hint: create them first: CREATE ROLE "${writer}"; or leave out`,
  );
  expect(refused).toExitWith(22);
  expect(await databasesLike(made.database)).toEqual([made.database]);

  const done = await made.run(['restore', '--yes', '--skip-refused']);
  expect(done.stderr).toContain(`the server refused POLICY public.t p`);
  expect(done).toExitWith(0);
  expect(await sql(made.database, "SELECT relrowsecurity FROM pg_class WHERE relname = 't';")).toBe(
    't',
  );
});

test('behind a transaction of the dump that was rolled back, the next refused statement is left out, too', async () => {
  const made = await backedUp();
  const path = await handMade(
    made.directory,
    `CREATE TABLE public.good (a integer);
BEGIN;
INSERT INTO public.good VALUES (1);
ROLLBACK;
SET SESSION AUTHORIZATION aifinance;
ALTER TABLE public.good ADD COLUMN b nowhere;
RESET SESSION AUTHORIZATION;
INSERT INTO public.good VALUES (2);
ALTER TABLE public.good ADD COLUMN c nowhere;
BEGIN;
INSERT INTO public.good VALUES (3);
COMMIT;
`,
  );
  const restored = await made.run(['restore', path, '--yes', '--skip-refused']);
  expect(restored).toExitWith(0);
  expect(await sql(made.database, 'SELECT string_agg(a::text, $$,$$) FROM public.good;')).toBe(
    '2,3',
  );
});
