import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { lockKey } from '../../src/restore/lock.ts';
import { backedUp } from '../support/backed-up.ts';
import { databasesLike, sql } from '../support/server.ts';
import { askAtTerminal } from '../support/terminal.ts';

test('an undo asks, too, and goes on with the right answer only', async () => {
  const { database, env, run } = await backedUp();
  await sql(database, 'DELETE FROM t WHERE a > 10;');
  expect(await run(['restore', '--yes'])).toExitWith(0);
  const wrong = await askAtTerminal(['restore', '--undo'], env, 'yes');
  expect(wrong.screen).toContain(`Undo the restore of "${database}"?`);
  expect(wrong.screen).toContain(`the answer was not "${database}"`);
  expect(wrong.exitCode).toBe(2);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('1000');
  expect((await askAtTerminal(['restore', '--undo'], env, database)).exitCode).toBe(0);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('10');
});

test('a database that somebody else has dropped meanwhile is not what was agreed to', async () => {
  const { database, env } = await backedUp();
  const drop = () => sql('postgres', `DROP DATABASE ${database};`);
  const { exitCode, screen } = await askAtTerminal(['restore'], env, database, '', drop);
  expect(screen).toContain(`database "${database}" was changed by somebody else meanwhile`);
  expect(exitCode).toBe(22);
  expect(await databasesLike(database)).toEqual([]);
});

test('a restore whose session was ended meanwhile does not go on without its lock', async () => {
  const { database, env, path } = await backedUp();
  const text = gunzipSync(await readFile(path)).toString();
  const edited = text.replace(/(?=^-- .*complete$)/m, 'ALTER TABLE t ADD COLUMN b nowhere;\n');
  await writeFile(join(dirname(path), 'edited.sql'), edited);
  const end = () =>
    sql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
         AND classid::bigint << 32 | objid::bigint = ${lockKey(`target ${database}`)};`,
    );
  await sql(database, 'DELETE FROM t;');
  const { exitCode, screen } = await askAtTerminal(
    ['restore', '--skip-refused', join(dirname(path), 'edited.sql')],
    env,
    database,
    '',
    end,
  );
  expect(screen).toContain('its session was ended');
  expect(screen).toContain('the live database was not touched');
  expect(exitCode).toBe(22);
  expect(await databasesLike(database)).toEqual([database]);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');
});

test('the end of the input is no yes', async () => {
  const { database, env } = await backedUp();
  await sql(database, 'DELETE FROM t;');
  const end = await askAtTerminal(['restore'], env, '\u0004');
  expect(end.screen).toContain(`not confirmed: the answer was not "${database}"`);
  expect(end.exitCode).toBe(2);
  expect(await sql(database, 'SELECT count(*) FROM t;')).toBe('0');
});
