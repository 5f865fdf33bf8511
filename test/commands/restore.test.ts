import { randomBytes } from 'node:crypto';
import {
  chmod,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { demoDatabase } from '../../src/demo/database.ts';
import { installation } from '../support/cli.ts';
import { askAtTerminal } from '../support/terminal.ts';
import { nastyDatabase } from '../support/nasty-database.ts';
import { databasesLike, dump, sql, temporaryDatabase } from '../support/server.ts';

const latest = 'pratiko_backup_latest.sql.gz';

async function temporaryRole(): Promise<string> {
  const name = `Role; ${randomBytes(4).toString('hex')}`;
  await sql('postgres', `CREATE ROLE "${name}";`);
  onTestFinished(async () => {
    await sql('postgres', `DROP ROLE IF EXISTS "${name}";`);
  });
  return name;
}

describe('what comes back', () => {
  test('the demo database is the same after its loss and restore', async () => {
    const database = await temporaryDatabase(demoDatabase);
    const { run } = await installation(database);
    const before = await dump(database);
    expect(await run(['backup'])).toMatchObject({ exitCode: 0 });
    await sql('postgres', `DROP DATABASE ${database};`);

    expect(await run(['restore', '--yes'])).toMatchObject({ exitCode: 0 });

    expect(await dump(database)).toBe(before);
  });

  test('the nasty database is the same, swapped in over the live one', async () => {
    const role = await temporaryRole();
    const database = await temporaryDatabase(nastyDatabase(role));
    const { run } = await installation(database);
    const before = await dump(database);
    const backup = await run(['backup']);
    expect(backup).toMatchObject({ exitCode: 0 });
    expect(backup.stderr).toContain('11 tables, 100,927 rows');
    await sql(database, 'DROP TABLE many; UPDATE one_column SET line = NULL;');

    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old']);

    expect(stderr).toContain('the previous database was dropped');
    expect(exitCode).toBe(0);
    expect(await dump(database)).toBe(before);
    expect(await databasesLike(database)).toEqual([database]);
    await sql('postgres', `DROP DATABASE ${database};`);
  });

  test('a name with quotes, spaces, equals signs and accents works throughout', async () => {
    const database = await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;', `x'"= è;$%\\`);
    const { run } = await installation(database);
    expect(await run(['backup'])).toMatchObject({ exitCode: 0 });
    await sql(database, 'DELETE FROM t;');

    const { exitCode, stderr } = await run(['restore', '--yes', '--drop-old']);

    expect(stderr).toContain(`restored "${database}"`);
    expect(exitCode).toBe(0);
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1');
  });
});

/** A backup of a table `t` with these rows, made by the tool. */
async function backedUp(sqlText = 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;') {
  const database = await temporaryDatabase(sqlText);
  const tool = await installation(database);
  expect(await tool.run(['backup'])).toMatchObject({ exitCode: 0 });
  const name = await readlink(join(tool.directory, latest));
  const path = join(tool.directory, name);
  return { database, ...tool, name, path, manifestPath: path.replace('.sql.gz', '.manifest.json') };
}

/** A dump by hand, complete in the eyes of everyone who looks only at its end. */
async function handMade(directory: string, body: string): Promise<string> {
  const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
  const text = `--\n-- PostgreSQL database dump\n--\n\n${body}\n--\n-- PostgreSQL database dump complete\n--\n\n`;
  await writeFile(path, gzipSync(text));
  return path;
}

describe('what is left behind', () => {
  test('the previous database stays under the name that is printed', async () => {
    const { database, run } = await backedUp();
    await sql(database, 'INSERT INTO t VALUES (2000);');

    const { stderr } = await run(['restore', '--yes']);

    const [, previous = ''] = /kept as "(\w+_before_\d{8}_\d{6})"; when/.exec(stderr) ?? [];
    onTestFinished(() => sql('postgres', `DROP DATABASE ${previous};`).then(() => undefined));
    expect(await sql(previous, 'SELECT count(*) FROM t;')).toBe('1001');
    expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  });

  test('clients that are connected to the live database are ended, not waited for', async () => {
    const { database, run } = await backedUp();
    const sleeper = sql(database, 'SELECT pg_sleep(600);').catch((error: unknown) => error);

    expect(await run(['restore', '--yes', '--drop-old'])).toMatchObject({ exitCode: 0 });

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

    expect(await run(['restore', '--yes', ...args], { env })).toMatchObject({ exitCode: 0 });

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
    bytes[9] = 255; // "operating system" in the gzip header: no decompressor cares
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

  const padding = ' '.repeat(300_000);

  test.each([
    ['a psql command', '\\! touch MARK\n', 'psql command \\! touch'],
    ['one inside a statement', 'SELECT 1 \\g MARK\n', 'psql command \\g'],
    ['one after a carriage return', '-- x\r\\! touch MARK\n', 'psql command \\! touch'],
    ['one after an odd comment', `/*/ '*/ \\! touch MARK\n--'\n`, 'psql command \\! touch'],
    ['one after an escaped string', "SELECT E'x'\\! touch MARK\n;", 'psql command \\! touch'],
    [
      'one behind COPY',
      'CREATE TABLE a (); COPY a FROM stdin; \\! touch MARK\n\\.\n',
      'psql command',
    ],
    ['\\connect', '\\connect postgres\n', 'psql command \\connect postgres'],
    ['DROP DATABASE', 'DROP DATABASE aifinance;\n', 'it contains DROP DATABASE aifinance'],
    ['one with comments', '/* x */ drop /* y */ database x;\n', 'it contains drop   database x'],
    ['a quoted role', 'CREATE USER "evil_MARK" SUPERUSER;\n', 'it contains CREATE USER "evil_'],
    ['a padded role', `CREATE ROLE${padding} "evil_MARK";\n`, 'it contains CREATE ROLE'],
  ])('because the dump reaches outside: %s', async (_, body, message) => {
    const made = await backedUp();
    const mark = join(made.directory, 'mark');
    const path = await handMade(made.directory, body.replaceAll('MARK', mark));

    const { exitCode, stderr } = await failing(made, [path]);

    expect(exitCode).toBe(22);
    expect(stderr).toContain('the dump reaches outside its database');
    expect(stderr).toContain(message);
    expect(await readdir(made.directory)).not.toContain('mark');
    expect(await sql('postgres', `SELECT count(*) FROM pg_roles WHERE rolname LIKE 'evil%';`)).toBe(
      '0',
    );
  });

  test('because psql, which is restricted, refuses what we did not see', async () => {
    const made = await backedUp();
    const mark = join(made.directory, 'mark');
    const path = await handMade(
      made.directory,
      `SET standard_conforming_strings = off;\nSELECT '\\'' \\! touch ${mark}\n, 1;\nSELECT 1 --'\n;`,
    );
    const { exitCode } = await failing(made, [path]);
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
    expect(await run(['restore', '--yes', '--to', 'postgres'])).toMatchObject({ exitCode: 2 });
  });

  test.each([
    ['empty', Buffer.alloc(0), 'the file is empty'],
    ['not gzip', Buffer.from('CREATE TABLE x ();'), 'not gzip'],
  ])('because the file is %s', async (_, bytes, message) => {
    const made = await backedUp();
    const path = join(made.directory, 'pratiko_backup_20250101_000000.sql.gz');
    await writeFile(path, bytes);

    const { exitCode, stderr } = await failing(made, ['20250101_000000']);

    expect(exitCode).toBe(21);
    expect(stderr).toContain(message);
  });

  test.each(['20200101_000000', 'no/such/file.sql.gz', 'pratiko_backup_20200101_000000.sql.gz'])(
    'because there is no %s',
    async (argument) => {
      const made = await backedUp();
      expect(await failing(made, [argument])).toMatchObject({ exitCode: 10 });
    },
  );

  test('because the user may not create databases', async () => {
    const made = await backedUp();
    const role = `login_${randomBytes(4).toString('hex')}`;
    await sql('postgres', `CREATE ROLE ${role} LOGIN PASSWORD 'p';`);
    onTestFinished(() => sql('postgres', `DROP ROLE ${role};`).then(() => undefined));
    const asRole = (args: readonly string[]) =>
      made.run(args, { env: { POSTGRES_USER: role, POSTGRES_PASSWORD: 'p' } });

    const { exitCode, stderr } = await failing({ ...made, run: asRole });

    expect(exitCode).toBe(22);
    expect(stderr).toContain('permission denied to create database');
    expect(stderr).toContain('ALTER ROLE');
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
  expect(stderr).toContain('makes no sense: restoring without it');
  expect(exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
});

test('where the latest backup is of another database, its own newest is taken', async () => {
  const { database, run, name } = await backedUp();
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

  expect(await run(['restore', '--yes', '--drop-old'], asNobody)).toMatchObject({ exitCode: 0 });

  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  await chmod(directory, 0o755);
});
