import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from '../../src/postgres/tools.ts';
import { temporaryDirectory } from './cli.ts';

/**
 * A directory for PG_BIN_DIR with the real psql and a pg_dump that answers `--version` and
 * otherwise runs a shell script.
 */
export async function fakePgDump(script: string, version = '15.18'): Promise<string> {
  const directory = await temporaryDirectory();
  const psql = await findTool('psql', {
    binDir: undefined,
    environment: { PATH: process.env.PATH ?? '' },
    signal: new AbortController().signal,
  });
  await symlink(psql.path, join(directory, 'psql'));
  await writeFile(
    join(directory, 'pg_dump'),
    `#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) ${version}" && exit\n${script}\n`,
    { mode: 0o755 },
  );
  return directory;
}
