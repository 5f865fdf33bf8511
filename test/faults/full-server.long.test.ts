import { chmod } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../../src/postgres/databases.ts';
import { execute } from '../../src/postgres/psql.ts';
import { startOwnServer, toolFor } from '../support/own-server.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';

test.skipIf(!canMount)(
  "a restore for which the server's own disk is too small does not stop the server",
  async () => {
    const disk = await smallDisk('size=340m');
    await chmod(disk, 0o755); // for the user that the server runs as
    const own = await startOwnServer({ max_wal_size: '32MB' }, disk);
    onTestFinished(() => own[Symbol.asyncDispose]());
    await createDatabase(own.server, 'app', undefined);
    await execute(
      own.server,
      'app',
      'CREATE TABLE t AS SELECT n, repeat(md5(n::text), 3) AS text FROM generate_series(1, 700000) AS n;',
    );
    const run = await toolFor(own, { POSTGRES_DB: 'app' });
    expect(await run(['backup'])).toExitWith(0);

    const refused = await run(['restore', '--yes']);
    expect(refused.stderr).toMatch(
      /the server's disk has .* free; the new database needs about .*; hint: free some space there/,
    );
    expect(refused).toExitWith(22);

    const insisted = await run(['restore', '--yes', '--force']);
    expect(insisted.stderr).toMatch(
      /the server's disk is nearly full \(.* left\): gave up before it stops the server; hint: the new database was dropped/,
    );
    expect(insisted).toExitWith(22);
    const state =
      "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE 'app%';";
    expect((await execute(own.server, 'app', state)).trim()).toBe('app');
    // It still writes.
    await execute(
      own.server,
      'app',
      'CREATE TABLE other AS SELECT n FROM generate_series(1, 1000) AS n;',
    );
  },
);
