import { appendFile, chmod, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { findTool } from '../../../src/postgres/tools.ts';
import { backedUp, handMade } from '../../support/backed-up.ts';
import { nastyDatabase } from '../../support/adversarial-database.ts';
import { temporaryDirectory } from '../../support/cli.ts';
import { launch } from '../../support/launch.ts';
import { startWebhook } from '../../support/slack.ts';
import { ordinaryUser, temporaryRole } from '../../support/roles.ts';
import { databasesLike, dump, sql } from '../../support/server.ts';
import { oldScript } from '../../support/old-script.ts';

const search = {
  binDir: undefined,
  environment: { PATH: process.env.PATH ?? '' },
  signal: new AbortController().signal,
};

/** A PG_BIN_DIR whose pg_dump first changes the database that it dumps. */
async function changing(statements: string): Promise<Record<string, string>> {
  const directory = await temporaryDirectory();
  const [psql, pgDump] = [await findTool('psql', search), await findTool('pg_dump', search)];
  await symlink(psql.path, join(directory, 'psql'));
  await writeFile(join(directory, 'change.sql'), statements);
  await writeFile(
    join(directory, 'pg_dump'),
    `#!/bin/sh
if [ "$1" != --version ]; then
  ${psql.path} -X -q -v ON_ERROR_STOP=1 -f ${directory}/change.sql >&2 || exit 9
fi
exec ${pgDump.path} "$@"\n`,
    { mode: 0o755 },
  );
  return { PG_BIN_DIR: directory };
}

const history = async (directory: string) =>
  (await readFile(join(directory, 'pratiko_backup_history.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const everything = `
  CREATE TABLE documents (id serial PRIMARY KEY, title varchar(80) CHECK (title IN ('a', 'b', 'c')), body text);
  INSERT INTO documents (title, body) SELECT (ARRAY['a','b','c'])[1 + i % 3], repeat(i::text, 30) FROM generate_series(1, 500) AS i;
  CREATE INDEX documents_title ON documents (title);
  CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42';
  CREATE VIEW short AS SELECT id FROM documents WHERE title IN ('a', 'b') AND length(body) < 40;
  SELECT lo_from_bytea(4242, decode(repeat('ab', 5000), 'hex')), lo_create(4343);`;

describe('a backup that comes back', () => {
  test('is proven, recorded, and leaves nothing on the server', async () => {
    const role = await temporaryRole();
    const { database, directory, run, name } = await backedUp(nastyDatabase(role));

    const drill = await run(['verify', '--restore']);

    expect(drill.stdout).toMatch(/proven: restored and compared.*\n.*statement by statement/);
    expect(drill).toExitWith(0);
    expect(await databasesLike(database)).toEqual([database]);
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'passed', backup: name, place: 'server' }),
    );
  });

  test('is proven where the server writes casts in another way each time', async () => {
    const { run } = await backedUp(everything);
    expect(await run(['verify', '--restore', '--jobs', '1'])).toExitWith(0);
  });

  test('is proven whatever the server writes anew: bodies in SQL, heirs, columns in quotes', async () => {
    const { run } = await backedUp(`
      CREATE TABLE camel (id int, "userId" int, "createdAt" text); INSERT INTO camel VALUES (1, 2, 'x');
      CREATE TABLE t (a varchar(5), b int CHECK (b IN (1, 2)));
      CREATE FUNCTION returns_it(x varchar) RETURNS boolean LANGUAGE sql RETURN x IN ('a', 'b');
      CREATE PROCEDURE atomic(x varchar) LANGUAGE sql BEGIN ATOMIC INSERT INTO t SELECT 'q', 2 WHERE x NOT IN ('x', 'y'); END;
      CREATE TABLE parent (a int NOT NULL, b text DEFAULT 'p');
      CREATE TABLE child (x int, a int NOT NULL, b text); ALTER TABLE child INHERIT parent;
      ALTER TABLE parent ADD COLUMN later int; INSERT INTO child VALUES (1, 2, 'b', 3);
      CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
      CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'x');
      CREATE INDEX ON t ((CASE WHEN a IN ('1', '2') THEN 1 ELSE 0 END));
      CREATE POLICY p ON t USING (a IN ('x', 'y')); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE VIEW v AS SELECT a FROM t WHERE a IN ('x', 'y') AND b BETWEEN 1 AND 3 OR (b + 1) * 2 > 3;`);
    const drill = await run(['verify', '--restore', '--json']);
    expect(JSON.parse(drill.stdout)).toMatchObject({ good: true, notCompared: [] });
    expect(drill).toExitWith(0);
  });

  test('is proven in a throw-away cluster, with the roles that it needs', async () => {
    const role = await temporaryRole();
    const { run, env } = await backedUp(nastyDatabase(role));
    const temporary = await temporaryDirectory();
    const unreachable = { ...env, POSTGRES_PORT: '1', TMPDIR: temporary };
    await chmod(temporary, 0o755);

    const drill = await run(['verify', '--restore', '--sandbox', '--json'], { env: unreachable });

    expect(drill).toExitWith(0);
    expect(JSON.parse(drill.stdout)).toMatchObject({
      good: true,
      place: 'sandbox',
      differences: [],
      definitionsBy: 'statement',
      notCompared: [],
    });
    expect(await readdir(temporary)).toEqual([]);
  });

  test('made by the old script is compared without owners', async () => {
    const { database, directory, run } = await backedUp(everything);
    const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
    await oldScript(database, path);
    expect(await run(['verify', '--restore', path])).toExitWith(0);
  });
});

describe('what does not come back as it is', () => {
  test.each([
    [
      'a row is missing',
      'DELETE FROM documents WHERE id = 7',
      'table public.documents has 499 rows instead of 500 rows',
    ],
    [
      'a row was changed',
      "UPDATE documents SET body = 'x' WHERE id = 7",
      'table public.documents has as many rows (500 rows), but not the same',
    ],
    [
      'a row came twice',
      'INSERT INTO documents SELECT 501, title, body FROM documents WHERE id = 7',
      'table public.documents has 501 rows instead of 500 rows',
    ],
    [
      'one row came twice, another not at all',
      'DELETE FROM documents WHERE id = 8; ALTER TABLE documents DROP CONSTRAINT documents_pkey; INSERT INTO documents SELECT * FROM documents WHERE id = 7',
      'table public.documents has as many rows (500 rows), but not the same',
    ],
    [
      'an index is missing',
      'DROP INDEX documents_title',
      'INDEX public.documents_title is missing',
    ],
    [
      'a sequence is behind',
      "SELECT setval('documents_id_seq', 10)",
      'sequence public.documents_id_seq is at 10 instead of 500',
    ],
    [
      'a table is missing',
      'DROP TABLE documents CASCADE',
      'table public.documents is missing (500 rows)',
    ],
    [
      'a function was changed',
      "CREATE OR REPLACE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 43'",
      'FUNCTION public.answer() is not the same',
    ],
    [
      'a large object was changed',
      "SELECT lo_put(4242, 0, '\\xff')",
      'the large objects (2) do not hold the same data',
    ],
    [
      'a large object is missing',
      'SELECT lo_unlink(4343)',
      'there are 1 large object instead of 2 large objects',
    ],
    [
      'a check is gone',
      'ALTER TABLE documents DROP CONSTRAINT documents_title_check',
      'TABLE public.documents is not the same',
    ],
    [
      'a view was changed',
      'CREATE OR REPLACE VIEW short AS SELECT id FROM documents',
      'VIEW public.short is not the same',
    ],
    [
      'a table is too much',
      'CREATE TABLE extra ()',
      'TABLE public.extra is there, which the backup does not have',
    ],
  ])('%s', async (_, change, difference) => {
    const { database, directory, run, name } = await backedUp(everything);

    const drill = await run(['verify', '--restore'], { env: await changing(`${change};`) });

    expect(drill.stdout).toContain(difference);
    expect(drill.stderr).toContain(difference);
    expect(drill).toExitWith(21);
    expect(await databasesLike(database)).toEqual([database]);
    const message: unknown = expect.stringContaining(difference);
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'failed', backup: name, message }),
    );
  });
});

describe('what could not be tried is not proven, and neither passed nor failed', () => {
  const notProven = async (directory: string, message: string): Promise<void> => {
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({
        event: 'drill',
        outcome: 'notProven',
        message: expect.stringContaining(message) as unknown,
      }),
    );
  };

  test('no server answers', async () => {
    const { directory, run } = await backedUp();
    const drill = await run(['verify', '--restore'], { env: { POSTGRES_PORT: '1' } });
    expect(drill.stderr).toContain(
      'ERROR: not proven, the backup could not be restored: cannot connect',
    );
    expect(drill.stdout).toBe('');
    expect(drill).toExitWith(13);
    await notProven(directory, 'connection refused');
  });

  test('the user may not create databases', async () => {
    const { database, directory, run } = await backedUp();
    const { name, env } = await ordinaryUser(database);
    await sql('postgres', `ALTER ROLE "${name}" NOCREATEDB;`);
    const drill = await run(['verify', '--restore'], { env });
    expect(drill.stderr).toContain('not proven');
    expect(drill.stderr).toContain('NOCREATEDB'.slice(2));
    expect(drill).toExitWith(22);
    await notProven(directory, 'may not create databases');
  });

  test('the server does not have an extension', async () => {
    const { database, directory, run } = await backedUp();
    const path = await handMade(
      directory,
      'CREATE EXTENSION IF NOT EXISTS teleport WITH SCHEMA public;\n',
    );
    const drill = await run(['verify', '--restore', path]);
    expect(drill.stderr).toContain('not proven');
    expect(drill.stderr).toContain('extension "teleport"');
    expect(drill).toExitWith(22);
    expect(await databasesLike(database)).toEqual([database]);
    await notProven(directory, 'teleport');
  });

  test('no programs of its version are here for a throw-away cluster', async () => {
    const { directory, run, manifestPath } = await backedUp();
    const manifest = await readFile(manifestPath, 'utf8');
    await writeFile(
      manifestPath,
      manifest.replace(/"serverVersion": "\d+/, '"serverVersion": "12'),
    );
    const drill = await run(['verify', '--restore', '--sandbox']);
    expect(drill.stderr).toContain('initdb of PostgreSQL 12 not found');
    expect(drill).toExitWith(12);
    await notProven(directory, 'initdb');
  });

  test('the throw-away cluster cannot be made', async () => {
    const { directory, run, database } = await backedUp();
    const tools = await temporaryDirectory();
    await chmod(tools, 0o755); // the server's user starts initdb
    const real = dirname((await findTool('postgres', search)).path);
    for (const tool of ['psql', 'pg_dump', 'postgres'])
      await symlink(join(real, tool), join(tools, tool));
    await writeFile(
      join(tools, 'initdb'),
      `#!/bin/sh\n[ "$1" = --version ] && exec ${real}/initdb --version\necho "initdb: error: no space left" >&2; exit 1\n`,
      { mode: 0o755 },
    );
    const env = { PG_BIN_DIR: tools, TMPDIR: directory };
    const drill = await run(['verify', '--restore', '--sandbox'], { env });
    expect(drill.stderr).toContain(`a throw-away PostgreSQL cannot be run in ${directory}/`);
    expect(drill.stderr).toContain('initdb: error: no space left');
    expect(drill).toExitWith(12);
    expect((await readdir(directory)).filter((name) => name.includes('sandbox'))).toEqual([]);
    expect(await databasesLike(database)).toEqual([database]);
  });

  test('a dump whose rows are INSERT statements, or that does not say what it is of', async () => {
    const { run, directory, database } = await backedUp();
    const inserts = join(directory, 'inserts.sql');
    await writeFile(inserts, await dump(database, '--inserts'));
    const rows = await run(['verify', '--restore', inserts]);
    expect(rows.stderr).toContain('the rows of inserts.sql are INSERT statements');
    expect(rows).toExitWith(22);
    const path = await handMade(directory, 'CREATE TABLE public.t (a integer);');
    const unnamed = await run(['verify', '--restore', '--sandbox', path]);
    expect(unnamed.stderr).toContain('does not say which PostgreSQL it is of');
    expect(unnamed.stderr).toContain('without --sandbox it is tried on the configured server');
    expect(unnamed).toExitWith(12);
  });

  test('the wrong words', async () => {
    const { run } = await backedUp();
    expect(await run(['verify', '--sandbox'])).toExitWith(2);
    expect(await run(['verify', '--restore', '--all'])).toExitWith(2);
    expect(await run(['verify', '--restore', '19990101'])).toExitWith(10);
  });
});

test('a damaged backup has failed, before anything is created', async () => {
  const { directory, run, path, name } = await backedUp();
  const bytes = await readFile(path);
  bytes[bytes.length - 300] = 0x55 ^ (bytes.at(-300) ?? 0);
  await writeFile(path, bytes);
  const drill = await run(['verify', '--restore']);
  expect(drill.stderr).toContain(`${name} is not good`);
  expect(drill).toExitWith(21);
  expect(await history(directory)).toContainEqual(
    expect.objectContaining({ event: 'drill', outcome: 'failed', backup: name }),
  );
});

describe('an interruption', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves nothing behind', async (signal) => {
    const { database, directory, env } = await backedUp(
      'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) AS n;',
    );
    for (const phase of [`${database}_drill_`]) {
      const running = launch(['verify', '--restore'], env);
      await vi.waitFor(async () => expect((await databasesLike(phase)).length).toBe(1), {
        timeout: 20_000,
        interval: 20,
      });
      running.kill(signal);
      expect((await running).exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
    }
    expect(await databasesLike(database)).toEqual([database]);
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'interrupted' }),
    );
  });

  test('of a throw-away cluster leaves no directory and no process', async () => {
    const { env } = await backedUp(
      'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) AS n;',
    );
    const temporary = await temporaryDirectory();
    await chmod(temporary, 0o755);
    const running = launch(['verify', '--restore', '--sandbox'], { ...env, TMPDIR: temporary });
    await vi.waitFor(
      async () => {
        const [directory = 'none'] = await readdir(temporary);
        await readFile(join(temporary, directory, 'data', 'postmaster.pid'));
      },
      { timeout: 20_000, interval: 20 },
    );
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(143);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('kill -9 leaves a throw-away cluster that the next one removes, and no process', async () => {
    const { env, run } = await backedUp(
      'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) AS n;',
    );
    const temporary = await temporaryDirectory();
    await chmod(temporary, 0o755);
    const inside = { ...env, TMPDIR: temporary };
    const running = launch(['verify', '--restore', '--sandbox'], inside);
    const pid = await vi.waitFor(
      async () => {
        const [directory = 'none'] = await readdir(temporary);
        const text = await readFile(join(temporary, directory, 'data', 'postmaster.pid'), 'utf8');
        return Number(text.split('\n')[0]);
      },
      { timeout: 20_000, interval: 20 },
    );
    running.kill('SIGKILL');
    await running;
    expect(await readdir(temporary)).toHaveLength(1);
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
    expect(await run(['verify', '--restore', '--sandbox'], { env: inside })).toExitWith(0);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('kill -9 leaves a database that the next drill removes', async () => {
    const { database, env, run } = await backedUp(
      'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 60000) AS n;',
    );
    const running = launch(['verify', '--restore'], env);
    await vi.waitFor(
      async () => expect((await databasesLike(`${database}_drill_`)).length).toBe(1),
      { timeout: 20_000, interval: 20 },
    );
    running.kill('SIGKILL');
    await running;
    // The server needs a moment to see that the session is gone which holds its lock.
    await vi.waitFor(
      async () => {
        expect(await run(['verify', '--restore'])).toExitWith(0);
        expect(await databasesLike(database)).toEqual([database]);
      },
      { timeout: 60_000 },
    );
  });
});

describe('BACKUP_DRILL=always', () => {
  const always = { BACKUP_DRILL: 'always' };

  test('proves each new backup', async () => {
    const { directory, run } = await backedUp();
    const backup = await run(['backup'], { env: always });
    expect(backup).toExitWith(0);
    const [, latest] = (await history(directory))
      .filter(({ event }) => event === 'drill')
      .reverse();
    expect(latest).toBeUndefined();
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'drill', outcome: 'passed' }),
    );
  });

  test('what does not come back is told, ends with 3, and is no good backup for retention', async () => {
    const { directory, run } = await backedUp(everything);
    const { url, messages } = await startWebhook();
    // pg_dump is right the first time, when the backup is made, and the database is changed the second time.
    const env = await changing(
      "DO $$ BEGIN IF current_database() ~ '_drill_' THEN DELETE FROM documents WHERE id = 7; END IF; END $$;",
    );
    const backup = await run(['backup'], { env: { ...always, ...env, SLACK_WEBHOOK_URL: url } });
    expect(backup.stderr).toContain(
      'the backup is safe, but it is not proven that it can be restored',
    );
    expect(backup.stderr).toContain('table public.documents has 499 rows instead of 500 rows');
    expect(backup).toExitWith(3);
    expect(messages[0]).toContain('499 rows instead of 500');

    const pruned = await run(['prune', '--dry-run'], {
      env: { RETENTION_KEEP_MIN: '2', RETENTION_DAYS: '1' },
    });
    expect(pruned.stdout).toContain('fewer than 2 backups are known to be good');
    expect((await run(['list'])).stdout).toContain('FAILED');
    expect(await history(directory)).toContainEqual(
      expect.objectContaining({ event: 'backup', outcome: 'incomplete' }),
    );
  });
});

test('that a backup did not come back is said before it is restored', async () => {
  const { directory, run, name, database } = await backedUp();
  const event = {
    at: new Date().toISOString(),
    event: 'drill',
    outcome: 'failed',
    backup: name,
    database,
    place: 'server',
    durationMs: 1,
    message: 'table public.t has other rows',
  };
  await appendFile(join(directory, 'pratiko_backup_history.jsonl'), `${JSON.stringify(event)}\n`);
  const planned = await run(['restore', '--dry-run']);
  expect(planned.stderr).toContain(
    `${name} did not come back as it was when it was last tried: table public.t has other rows`,
  );
  expect(planned.stderr).toContain('shows other backups');
});
