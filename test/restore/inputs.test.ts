import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { backedUp, handMade } from '../support/backed-up.ts';
import { nastyDatabase } from '../support/adversarial-database.ts';
import { installation } from '../support/cli.ts';
import { databasesLike, dump, server, sql, temporaryDatabase } from '../support/server.ts';

describe('dumps with other options of pg_dump come back the same', () => {
  test.each([
    [['--clean'], 'test', '1'],
    [['--create', '--clean', '--if-exists'], `it's "my-app" è`, '2'],
    [['--inserts', '--rows-per-insert=500'], 'test', '3'],
  ])('%j of a database %j, with %s jobs', async (options, prefix, jobs) => {
    const database = await temporaryDatabase(nastyDatabase('aifinance'), prefix);
    const { run, directory } = await installation(database);
    const before = await dump(database);
    const path = join(directory, 'by hand.sql');
    await writeFile(
      path,
      (await dump(database, ...options)).replaceAll('restrict KEY', 'restrict k'),
    );

    const { exitCode, stderr } = await run(['restore', path, '--yes', '--jobs', jobs]);

    expect(stderr).toContain(`restored "${database}"`);
    expect(stderr).toContain('100,931 rows');
    expect(exitCode).toBe(0);
    expect(await dump(database)).toBe(before);
  });
});

describe('what is not a plain dump of one database is named', () => {
  const asFile = async (directory: string, name: string, content: Buffer | string) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const pgDump = async (database: string, ...args: string[]) => {
    const env = libpqEnvironment(server.environment, server.connection, database);
    return Buffer.from((await execa('pg_dump', args, { env, encoding: 'buffer' })).stdout);
  };

  test.each<[string, (directory: string, database: string) => Promise<string>, string]>([
    [
      'custom',
      async (d, db) => asFile(d, 'x.dump', await pgDump(db, '-Fc')),
      'custom format; hint: `pg_restore`',
    ],
    [
      'custom in gzip',
      async (d, db) => asFile(d, 'x.gz', gzipSync(await pgDump(db, '-Fc'))),
      "pg_dump's custom format",
    ],
    [
      'tar',
      async (d, db) => asFile(d, 'x.tar', await pgDump(db, '-Ft')),
      "pg_dump's tar format; hint: `pg_restore`",
    ],
    [
      'directory',
      async (d, db) => {
        await mkdir(join(d, 'dir'));
        await pgDump(db, '-Fd', '-f', join(d, 'dir', 'dump'));
        return join(d, 'dir', 'dump');
      },
      "pg_dump's directory format; hint: `pg_restore`",
    ],
    [
      'all databases',
      (d) => asFile(d, 'x.sql', '--\n-- PostgreSQL database cluster dump\n--\n\n'),
      'pg_dumpall',
    ],
    ['zstd', (d) => asFile(d, 'x.zst', Buffer.from('28b52ffd0458', 'hex')), 'compressed with zstd'],
    ['anything', (d) => asFile(d, 'x.txt', 'Dear diary'), 'it begins with "Dear diary"'],
  ])('%s', async (_, make, message) => {
    const { database, run, directory } = await backedUp();
    const { exitCode, stderr } = await run(['restore', '--yes', await make(directory, database)]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(21);
    expect(await databasesLike(database)).toEqual([database]);
  });
});

test('everything that stands in the way is told at once, before anything is created', async () => {
  const made = await backedUp();
  const { database, run } = made;
  await sql(database, `BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '${database}';`);
  const path = await handMade(
    made.directory,
    'CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;\n',
  );

  const { exitCode, stderr } = await run(['restore', path, '--yes']);
  expect(stderr).toContain(
    `the prepared transaction '${database}' holds database "${database}"; the dump needs extension "vector", which this server does not offer; hint: end it there: COMMIT PREPARED '${database}', or ROLLBACK PREPARED; install pgvector on the server: package postgresql-15-pgvector, or the image pgvector/pgvector:pg15`,
  );
  expect(exitCode).toBe(22);
  expect(await databasesLike(database)).toEqual([database]);
  await sql(database, `ROLLBACK PREPARED '${database}';`);
});

test('--dry-run prints the plan and changes nothing', async () => {
  const { database, run } = await backedUp();
  const { exitCode, stdout } = await run(['restore', '--dry-run']);
  expect(stdout).toMatch(
    new RegExp(
      `^1\\. load \\S+ \\(made .* ago, 1,000 rows\\) into a new database "${database}_restore_\\d{8}_\\d{6}_[0-9a-f]{4}"\n2\\. .*\n3\\. rename "${database}" to "${database}_before_\\d{8}_\\d{6}"`,
    ),
  );
  expect(exitCode).toBe(0);
  expect(await databasesLike(database)).toEqual([database]);
});
