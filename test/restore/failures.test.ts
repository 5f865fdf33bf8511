import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backedUp, handMade } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { databasesLike, sql, temporaryDatabase } from '../support/server.ts';

/** A user who may do nothing, with the password `p`. */
async function loginRole(): Promise<string> {
  const role = `login_${randomBytes(4).toString('hex')}`;
  await sql('postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'p';`);
  onTestFinished(() => sql('postgres', `DROP ROLE ${role};`).then(() => undefined));
  return role;
}

describe('a restore that fails leaves the live database and nothing else', () => {
  /** Restores and checks that the live database is as it was and no other is left. */
  async function failing(
    { database, run }: Pick<Awaited<ReturnType<typeof backedUp>>, 'database' | 'run'>,
    args: string[] = [],
  ) {
    await sql(database, 'INSERT INTO t VALUES (4711);');
    const result = await run(['restore', '--yes', ...args]);
    expect(await sql(database, 'SELECT count(*) FROM t WHERE a = 4711;')).toBe('1');
    expect(await databasesLike(database)).toEqual([database]);
    return result;
  }

  test('because the file was cut', async () => {
    const made = await backedUp();
    const { size } = await stat(made.path);
    await rm(made.manifestPath);
    await truncate(made.path, size - 20);

    const { exitCode, stderr } = await failing(made);

    expect(exitCode).toBe(22);
    expect(stderr).toContain(`${made.name} is not good: truncated at byte ${size - 20}`);
    expect(stderr).toContain('the live database was not touched');
  });

  test('because a bit of the file was flipped, although psql would load it', async () => {
    const made = await backedUp();
    const bytes = await readFile(made.path);
    bytes[8] = 2; // "extra flags" in the gzip header: no decompressor cares
    await writeFile(made.path, bytes);

    const { exitCode, stderr } = await failing(made);

    expect(exitCode).toBe(22);
    expect(stderr).toContain('checksum differs from the manifest');
  });

  test('because the dump ends inside COPY, which psql would commit', async () => {
    const made = await backedUp();
    const text = gunzipSync(await readFile(made.path)).toString();
    await rm(made.manifestPath);
    await writeFile(made.path, gzipSync(text.slice(0, text.indexOf('\n500\n') + 1)));

    const { exitCode, stderr } = await failing(made);

    expect(exitCode).toBe(22);
    expect(stderr).toContain('COPY of public.t is not closed');
  });

  test('because a statement is refused', async () => {
    const made = await backedUp();
    const path = await handMade(made.directory, 'CREATE TABLE a (b no_such_type);\n');

    const { exitCode, stderr } = await failing(made, [path]);

    expect(exitCode).toBe(22);
    expect(stderr).toContain(
      'the server refused the dump at line 5: type "no_such_type" does not exist',
    );
  });

  test('because the server loaded fewer rows than the file holds', async () => {
    const made = await backedUp();
    const path = await handMade(
      made.directory,
      `CREATE TABLE public.a (b integer);
CREATE FUNCTION public.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t BEFORE INSERT ON public.a FOR EACH ROW EXECUTE FUNCTION public.drop_row();
COPY public.a (b) FROM stdin;
1
2
\\.
`,
    );

    const { exitCode, stderr } = await failing(made, [path]);

    expect(exitCode).toBe(22);
    expect(stderr).toContain(
      'the server did not load the rows of the backup: public.a has 0 rows, expected 2 rows',
    );
  });

  test.each([
    ['a psql command', '\\! touch MARK\n', 'psql command \\! touch'],
    [
      'DROP DATABASE',
      'CREATE TABLE x (); DROP DATABASE aifinance;\n',
      'it contains DROP DATABASE aifinance',
    ],
  ])('because the dump reaches outside: %s', async (_, body, message) => {
    const made = await backedUp();
    const mark = join(made.directory, 'mark');
    const path = await handMade(made.directory, body.replaceAll('MARK', mark));

    const { exitCode, stderr } = await failing(made, [path]);

    expect(exitCode).toBe(22);
    expect(stderr).toContain('the dump reaches outside its database');
    expect(stderr).toContain(message);
    expect(await readdir(made.directory)).not.toContain('mark');
  });

  test('because it would reach outside after its last row: that is seen before anything is created', async () => {
    const made = await backedUp();
    const role = await loginRole();
    const path = await handMade(
      made.directory,
      'CREATE TABLE x (a integer);\nCOPY x (a) FROM stdin;\n1\n\\.\n\\! touch mark\n',
    );
    // Were anything to be created, it would fail: this user may not.
    const env = { POSTGRES_USER: role, POSTGRES_PASSWORD: 'p' };
    const run = (args: readonly string[]) => made.run(args, { env });
    const { exitCode, stderr } = await failing({ ...made, run }, [path]);
    expect(exitCode).toBe(22);
    expect(stderr).toContain('it contains the psql command \\! touch mark');
  });

  test('because of something behind a subscription, which would keep the scratch database', async () => {
    const made = await backedUp();
    const path = await handMade(
      made.directory,
      `CREATE PUBLICATION p;
CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = 's');
SELECT 1/0;
`,
    );
    const { exitCode, stderr } = await failing(made, [path]);
    expect(exitCode).toBe(22);
    expect(stderr).toContain('division by zero');
  });

  test('because psql, which is restricted, refuses what we did not see', async () => {
    const made = await backedUp();
    const mark = join(made.directory, 'mark');
    const path = await handMade(
      made.directory,
      `DO $$ BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); END $$;\nSELECT '\\'' \\! touch ${mark}\n, 1;\nSELECT 1 --'\n;`,
    );
    const { exitCode, stderr } = await failing(made, [path]);
    expect(stderr).toContain('restrict');
    expect(exitCode).toBe(22);
    expect(await readdir(made.directory)).not.toContain('mark');
  });

  test('because it was not confirmed: no terminal, no --yes', async () => {
    const { run } = await backedUp();
    const { exitCode, stderr } = await run(['restore']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('a restore must be confirmed');
    expect(stderr).toContain('add --yes');
  });

  test('because the target is a database of the server', async () => {
    const { run } = await backedUp();
    expect(await run(['restore', '--yes', '--to', 'postgres'])).toExitWith(2);
  });

  test.each([
    ['empty', Buffer.alloc(0), 'cannot be restored: it is empty'],
    ['not gzip', Buffer.from('CREATE TABLE x ();'), 'not gzip'],
  ])('because the file is %s', async (_, bytes, message) => {
    const made = await backedUp();
    const path = join(made.directory, 'pratiko_backup_20250101_000000.sql.gz');
    await writeFile(path, bytes);

    const { exitCode, stderr } = await failing(made, ['20250101_000000']);

    expect(exitCode).toBe(21);
    expect(stderr).toContain(message);
  });

  test.each(['20200101_000000', 'no/such/file.sql.gz'])(
    'because there is no %s',
    async (argument) => {
      const made = await backedUp();
      expect(await failing(made, [argument])).toExitWith(10);
    },
  );

  test('because the user may not create databases', async () => {
    const made = await backedUp();
    const role = await loginRole();
    const asRole = (args: readonly string[]) =>
      made.run(args, { env: { POSTGRES_USER: role, POSTGRES_PASSWORD: 'p' } });

    const { exitCode, stderr } = await failing({ ...made, run: asRole });

    expect(exitCode).toBe(22);
    expect(stderr).toContain(
      `user "${role}" may not create databases; user "${role}" does not own`,
    );
    expect(stderr).toContain(`ALTER ROLE "${role}" CREATEDB; as a superuser: ALTER DATABASE`);
  });
});

test('a bad backup leads to another one of its own database, never to one of another', async () => {
  const made = await backedUp();
  const other = await temporaryDatabase('CREATE TABLE o AS SELECT 1 AS a;');
  expect(await made.run(['backup'], { env: { POSTGRES_DB: other } })).toExitWith(0);
  const bytes = await readFile(made.path);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  await writeFile(made.path, bytes);
  const { name: of } = (
    JSON.parse(await readFile(made.manifestPath, 'utf8')) as { database: { name: string } }
  ).database;
  const none = `no other backup of "${of}" is known to be good here: \`pratiko-backup verify --all`;
  for (const args of [
    ['restore', made.name, '--yes'],
    ['verify', made.name],
  ]) {
    const { stderr, stdout } = await made.run(args);
    expect(stderr + stdout).toContain(none);
    expect(stderr + stdout).not.toContain('the newest other one');
  }
  const own = await made.run(['backup'], { env: { POSTGRES_DB: of } });
  expect(own).toExitWith(0);
  const again = await made.run(['verify', made.name]);
  expect(again.stderr + again.stdout).toMatch(
    /the newest other one that looks good: `pratiko-backup verify \d{8}_\d{6} --config/,
  );
});

test('what is known to be bad is passed over, and its copy is offered', async () => {
  const nas = await temporaryDirectory();
  const OFFSITE_URL = `file://${nas}`;
  const made = await backedUp('CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;');
  expect(await made.run(['backup'], { env: { OFFSITE_URL } })).toExitWith(0);
  const name = await readlink(join(made.directory, 'pratiko_backup_latest.sql.gz'));
  const path = join(made.directory, name);
  const good = await readFile(path);
  await writeFile(path, good.subarray(0, 500));
  const verified = await made.run(['verify', name], { env: { OFFSITE_URL } });
  const copy = `its copy at ${OFFSITE_URL} may be good: mv ${path} ${path}.bad, then \`pratiko-backup verify --from-offsite ${name}`;
  expect(verified.stdout + verified.stderr).toContain(copy);
  const planned = await made.run(['restore', '--dry-run']);
  expect(planned.stderr).toContain(
    `${name} was found not good before; taking ${made.name}, the newest that looks good`,
  );
  expect(planned).toExitWith(0);
  const asked = await made.run(['restore', name, '--dry-run']);
  expect(asked.stderr).toContain(`\`pratiko-backup verify ${name} --config`);
  // What is fetched is another file: what was found of the one before says nothing of it.
  await rm(path);
  const fetched = await made.run(['restore', '--from-offsite', name, '--dry-run'], {
    env: { OFFSITE_URL },
  });
  expect(fetched.stderr).not.toContain('not good before');
  const listed = await made.run(['list'], { env: { OFFSITE_URL } });
  expect(listed.stdout).not.toContain('DAMAGED');
  expect(listed.stdout).toContain('1 of 1');
  const pruned = await made.run(['prune', '--dry-run'], { env: { OFFSITE_URL } });
  expect(pruned.stdout.split('copies at')[1]).toContain(name);
});
