import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../src/postgres/databases.ts';
import { execute } from '../../src/postgres/psql.ts';
import { startOwnServer, toolFor } from '../support/own-server.ts';

test('where there is no database postgres, or it is closed, restores go on without it', async () => {
  const own = await startOwnServer();
  onTestFinished(() => own[Symbol.asyncDispose]());
  await createDatabase(own.server, 'app', undefined);
  await execute(own.server, 'app', 'CREATE TABLE t AS SELECT 1 AS a;');
  const run = await toolFor(own, { POSTGRES_DB: 'app' });
  for (const sql of [
    'ALTER DATABASE postgres ALLOW_CONNECTIONS false;',
    'DROP DATABASE postgres WITH (FORCE);',
  ]) {
    await execute(own.server, 'template1', sql);
    expect(await run(['backup'])).toExitWith(0);
    await execute(own.server, 'app', 'DROP TABLE t;');
    expect(await run(['restore', '--yes'])).toExitWith(0);
    expect((await execute(own.server, 'app', 'SELECT a FROM t;')).trim()).toBe('1');
    expect(await run(['restore', '--undo', '--yes'])).toExitWith(0);
    await execute(own.server, 'app', 'CREATE TABLE t AS SELECT 1 AS a;');
    expect((await run(['list'])).stdout).toContain('app_before_');
  }
});
