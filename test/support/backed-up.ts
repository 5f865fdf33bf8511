import { mkdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { runTool, type Installation } from './cli.ts';
import { withOneBackup } from './aged-backups.ts';
import { temporaryDatabase } from './server.ts';

/** A database with a table `t` of 1,000 rows, or of its own, and a backup of it. */
export async function backedUp(text?: string) {
  const shared = await withOneBackup('CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;');
  const database = await temporaryDatabase(
    text,
    'test',
    text === undefined ? shared.database : undefined,
  );
  const env = { ...shared.env, POSTGRES_DB: database };
  const run: Installation['run'] = (args, options = {}) =>
    runTool(args, { ...options, env: { ...env, ...options.env } });
  if (text !== undefined) {
    await rm(shared.directory, { recursive: true });
    await mkdir(shared.directory);
    expect(await run(['backup'])).toExitWith(0);
  }
  const name = await readlink(join(shared.directory, 'pratiko_backup_latest.sql.gz'));
  const path = join(shared.directory, name);
  const manifestPath = path.replace('.sql.gz', '.manifest.json');
  return { database, directory: shared.directory, env, run, name, path, manifestPath };
}

/** A dump by hand, complete in the eyes of everyone who looks only at its end. */
export async function handMade(directory: string, body: string): Promise<string> {
  const path = join(directory, 'pratiko_backup_20250101_000000.sql.gz');
  const text = `--\n-- PostgreSQL database dump\n--\n\n${body}\n--\n-- PostgreSQL database dump complete\n--\n\n`;
  await writeFile(path, gzipSync(text));
  return path;
}
