import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { execute } from '../../src/postgres/psql.ts';
import type { Sandbox } from '../../src/postgres/sandbox.ts';
import { databaseFor } from './features.ts';
import { toolFor } from './tool.ts';
import { backupDirectory, clientDirectory, clients, servers, startServer } from './versions.ts';

const execute_ = promisify(execFile);

/** Everything that a database holds, as its dump has it. */
async function dumpOf({ server }: Sandbox, client: number, database: string): Promise<string> {
  const { stdout } = await execute_(join(clientDirectory(client), 'pg_dump'), [], {
    env: libpqEnvironment(server.environment, server.connection, database),
    maxBuffer: 100_000_000,
  });
  return stdout.replace(/^\\(un)?restrict .*$/gm, '').replace(/^-- Dumped .*$/gm, '');
}

describe.for(servers)('PostgreSQL %d', (major) => {
  let own: Sandbox;

  beforeAll(async () => {
    own = await startServer(major);
    await execute(own.server, 'postgres', 'CREATE ROLE "other; owner";');
    await execute(own.server, 'postgres', 'CREATE DATABASE everything;');
    await execute(own.server, 'everything', databaseFor(major, 'other; owner'));
  });
  afterAll(async () => own[Symbol.asyncDispose]());

  test.for(clients.filter((client) => client < major))(
    'the client of %d is too old for it, and says so',
    async (client) => {
      await using directory = await backupDirectory();
      const ending = await toolFor(own, client, directory.path)('everything', 'backup');
      expect(ending).toExitWith(12);
      expect(ending.stderr).toMatch(
        new RegExp(`is version ${client}\\.\\S+ .*too old for the server's ${major}\\.`),
      );
      expect(ending.stderr).toContain(`postgresql-client-${major}`);
    },
  );

  test.for(clients.filter((client) => client >= major))(
    'with the client of %d everything comes back, and is proven',
    async (client) => {
      await using directory = await backupDirectory();
      const tool = toolFor(own, client, directory.path);
      const before = await dumpOf(own, client, 'everything');
      expect(await tool('everything', 'backup')).toExitWith(0);
      expect(await tool('everything', 'verify')).toExitWith(0);
      const proven = await tool('everything', 'verify', '--restore');
      expect(proven).toExitWith(0);
      expect(proven.stdout).toContain('statement by statement');
      const restored = `restored_by_${client}`;
      expect(await tool('everything', 'restore', '--to', restored, '--yes')).toExitWith(0);
      expect(await dumpOf(own, client, restored)).toBe(before);
      expect(await tool('everything', 'restore', '--jobs', '1', '--yes', '--drop-old')).toExitWith(
        0,
      );
      expect(await dumpOf(own, client, 'everything')).toBe(before);
    },
  );

  test.for(clients.filter((client) => client >= major))(
    'a file that the old script made with the client of %d',
    async (client) => {
      await using directory = await backupDirectory();
      const path = join(directory.path, 'pratiko_backup_20250101_000000.sql.gz');
      await execute_(
        'bash',
        [
          '-c',
          `"$0" --format=plain --no-owner --no-acl --verbose 2>&1 | gzip > "$1"`,
          join(clientDirectory(client), 'pg_dump'),
          path,
        ],
        {
          env: {
            ...libpqEnvironment(own.server.environment, own.server.connection, 'everything'),
            PATH: process.env.PATH,
          },
        },
      );
      const tool = toolFor(own, client, directory.path);
      const verified = await tool('everything', 'verify');
      expect(verified).toExitWith(0);
      expect(verified.stdout).toContain('made by the old script');
      const database = `from_old_script_${client}`;
      expect(await tool('everything', 'restore', '--to', database, '--yes')).toExitWith(0);
      const rows = 'SELECT count(*), sum(hashtext(m::text)) FROM many AS m;';
      expect(await execute(own.server, database, rows)).toBe(
        await execute(own.server, 'everything', rows),
      );
    },
  );
});
