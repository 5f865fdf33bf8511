import { describe, expect, test } from 'vitest';
import { execute } from '../../src/postgres/psql.ts';
import { databaseFor } from './features.ts';
import { toolFor } from './tool.ts';
import { backupDirectory, servers, startServer } from './versions.ts';

const newest = 18;
const owner = 'other; owner';

/** A server of that version with a database of plain tables, and one with everything that it knows. */
async function filledServer(major: number) {
  const own = await startServer(major);
  await execute(own.server, 'postgres', `CREATE ROLE "${owner}";`);
  for (const name of ['plain', 'everything']) {
    await execute(own.server, 'postgres', `CREATE DATABASE ${name};`);
  }
  await execute(
    own.server,
    'plain',
    'CREATE TABLE t (id integer PRIMARY KEY, v text NOT NULL); INSERT INTO t SELECT n, n FROM generate_series(1, 1000) AS n;',
  );
  await execute(own.server, 'everything', databaseFor(major, owner));
  return own;
}

describe.for(servers.filter((major) => major < newest))('from PostgreSQL %d to 18', (major) => {
  test('everything moves, with its roles, and holds the same rows', async () => {
    await using directory = await backupDirectory();
    await using old = await filledServer(major);
    const there = toolFor(old, newest, directory.path, { BACKUP_GLOBALS: 'true' });
    expect(await there('everything', 'backup')).toExitWith(0);
    await using target = await startServer(newest);
    const here = toolFor(target, newest, directory.path);
    expect(await here('everything', 'restore', '--globals', '--yes')).toExitWith(0);
    expect(await here('everything', 'backup')).toExitWith(0);
    const { backups } = JSON.parse((await here('everything', 'list', '--json')).stdout) as {
      backups: { name: string }[];
    };
    const [now = '', before = ''] = backups.map(({ name }) => name);
    const { stdout } = await here('everything', 'diff', before, now, '--content', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ differing: [] });
    const rights = `SELECT has_table_privilege('${owner}', 'one_column', 'INSERT');`;
    expect(await execute(target.server, 'everything', rights)).toBe('t\n');
  });
});

describe.for([13, 15, 17])('from PostgreSQL 18 to %d', (major) => {
  test('what it does not know is refused with a reason, what it knows is restored', async () => {
    await using directory = await backupDirectory();
    await using source = await filledServer(newest);
    const there = toolFor(source, newest, directory.path);
    for (const name of ['plain', 'everything']) {
      expect(await there(name, 'backup')).toExitWith(0);
    }
    const { backups } = JSON.parse((await there('plain', 'list', '--json')).stdout) as {
      backups: { name: string; database: string }[];
    };
    const nameOf = (wanted: string) =>
      backups.find(({ database }) => database === wanted)?.name ?? '';
    await using target = await startServer(major);
    const here = toolFor(target, newest, directory.path);
    const refused = await here('everything', 'restore', nameOf('everything'), '--yes');
    expect(refused).toExitWith(22);
    expect(refused.stderr).toMatch(
      /the server refused the dump at line \d+: .+ \((COLLATION|TABLE) /,
    );
    expect(refused.stderr).toContain('restore into a server of version 18 or later');
    const restored = await here('plain', 'restore', nameOf('plain'), '--yes');
    expect(restored).toExitWith(0);
    expect(restored.stderr).toContain(`this server is ${major}.`);
    expect(await execute(target.server, 'plain', 'SELECT count(*) FROM t;')).toBe('1000\n');
    const most = await here(
      'everything',
      'restore',
      nameOf('everything'),
      '--yes',
      '--skip-refused',
    );
    expect(most).toExitWith(0);
    expect(await execute(target.server, 'everything', 'SELECT count(*) FROM many;')).toBe(
      '100000\n',
    );
  });
});

test('a client that cannot read a dump is refused before anything is done', async () => {
  await using directory = await backupDirectory();
  await using source = await filledServer(15);
  expect(await toolFor(source, 15, directory.path)('everything', 'backup')).toExitWith(0);
  await using target = await startServer(13);
  const ending = await toolFor(target, 13, directory.path)('everything', 'restore', '--yes');
  expect(ending).toExitWith(22);
  expect(ending.stderr).toContain('cannot read functions of the dump (BEGIN ATOMIC)');
  expect(ending.stderr).toContain('`postgresql-client-14`');
});
