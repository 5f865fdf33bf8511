import { randomBytes } from 'node:crypto';
import { cp, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { createDatabase } from '../../src/postgres/databases.ts';
import { execute } from '../../src/postgres/psql.ts';
import { installation, runTool, toolEnvironment, type Installation } from './cli.ts';
import { server } from './server.ts';
import { copyToAges, expectNoSessions, expectSound, expectTidy } from './invariants.ts';

interface Original {
  readonly database: string;
  readonly directory: string;
}

const originals = new Map<string, Promise<Original>>();

/** Makes a database and one backup of it, once for all tests that share this module; they end with the server. */
async function original(sql: string): Promise<Original> {
  const database = `shared_${randomBytes(4).toString('hex')}`;
  const directory = await mkdtemp(join(inject('sharedDirectory'), 'original_'));
  await createDatabase(server, database, undefined);
  await execute(server, database, sql);
  const made = await runTool(['backup'], { env: toolEnvironment(database, directory) });
  expect(made).toExitWith(0);
  return { database, directory };
}

/** A database that the test may only read, and a backup directory of its own with one good backup. */
export async function withOneBackup(sql: string): Promise<Installation & { database: string }> {
  const made = originals.get(sql) ?? original(sql);
  originals.set(sql, made);
  const { database, directory } = await made;
  const tool = await installation(database);
  await cp(directory, tool.directory, { recursive: true, verbatimSymlinks: true });
  return { ...tool, database };
}

/** The same with older backups, of which retention will remove the oldest; `young` will stay. */
export async function prepared(rows = 2000) {
  const tool = await withOneBackup(
    `CREATE TABLE t AS SELECT n, md5(n::text) AS text FROM generate_series(1, ${rows}) AS n;`,
  );
  const [, ...young] = await copyToAges(tool.directory, [9, 3, 2, 1]);
  return { ...tool, young };
}

export type Prepared = Awaited<ReturnType<typeof prepared>>;

/** What must be true after a kill, and after the next run. */
export async function expectRecovery({ database, directory, young, run }: Prepared): Promise<void> {
  await expectSound(directory, young);
  await expectNoSessions(database);
  const next = await run(['backup']);
  expect(next.stderr).toContain('is good');
  expect(next.exitCode).toBe(0);
  await expectSound(directory, young);
  await expectTidy(directory);
}
