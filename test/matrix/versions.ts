import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSandbox, type Sandbox } from '../../src/postgres/sandbox.ts';

/** Where `get-versions` has put them; it has been run before, and says so. */
export const versions = execFileSync(fileURLToPath(new URL('get-versions', import.meta.url)), {
  encoding: 'utf8',
}).trim();

export const servers = [13, 14, 15, 16, 17, 18] as const;
export const clients = [13, 15, 17, 18] as const;
export const nodes = ['20.19', '22', '24', '26'] as const;

export const clientDirectory = (major: number) => join(versions, 'client', String(major));
export const nodeOf = (version: string) => join(versions, 'node', version, 'node');

/** A throw-away server of that version. */
export function startServer(major: number): Promise<Sandbox> {
  return startSandbox({
    tempDirectory: tmpdir(),
    path: `${join(versions, 'server', String(major))}:${process.env.PATH ?? ''}`,
    uid: process.getuid?.() ?? 0,
    user: 'aifinance',
    password: 'a password',
    major,
    signal: new AbortController().signal,
  });
}

/** A directory for backups, as long as the block lasts. */
export async function backupDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'pratiko_matrix_'));
  await chmod(path, 0o700);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
