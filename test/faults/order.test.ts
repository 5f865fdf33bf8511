import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/cli.ts';
import { launch } from '../support/launch.ts';
import { prepared } from '../support/aged-backups.ts';
import { hasStrace } from '../support/strace.ts';

/** The system calls by which a run changes the backup directory, in order, with stamps blanked. */
async function changes(
  env: Readonly<Record<string, string>>,
  directory: string,
): Promise<string[]> {
  const log = join(await temporaryDirectory(), 'strace');
  const calls = 'openat,fsync,rename,symlink,unlink';
  const strace = [
    'env',
    'UV_THREADPOOL_SIZE=1',
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-y',
    '-e',
    `trace=${calls}`,
    '-o',
    log,
  ];
  expect(await launch(['backup'], env, strace)).toExitWith(0);
  const lines = (await readFile(log, 'utf8'))
    .split('\n')
    .filter((line) => line.includes(directory));
  return lines.flatMap((line) => {
    const [, call = '', rest = ''] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
    if (call === 'openat' && !rest.includes('O_CREAT')) return [];
    const paths = [...rest.matchAll(/["<]([^">]+)[">]/g)].map(([, path = '']) => basename(path));
    const names = call === 'openat' ? paths.slice(-1) : call === 'symlink' ? paths.slice(1) : paths;
    return `${call} ${names.join(' -> ')}`
      .replaceAll(/\d{8}_\d{6}/g, 'T')
      .replace(basename(directory), '(directory)');
  });
}

describe.runIf(hasStrace)('the order in which a backup becomes durable', () => {
  test('file before its name, manifest before the backup, link after it, old ones last', async () => {
    const { env, directory } = await prepared();
    expect(await changes(env, directory)).toEqual([
      'openat .pratiko_backup.lock',
      'openat .pratiko_backup_T.sql.gz.partial',
      'fsync .pratiko_backup_T.sql.gz.partial',
      'openat .pratiko_backup_T.manifest.json.partial',
      'fsync .pratiko_backup_T.manifest.json.partial',
      'rename .pratiko_backup_T.manifest.json.partial -> pratiko_backup_T.manifest.json',
      'fsync (directory)',
      'rename .pratiko_backup_T.sql.gz.partial -> pratiko_backup_T.sql.gz',
      'fsync (directory)',
      'symlink .pratiko_backup_latest.sql.gz.partial',
      'rename .pratiko_backup_latest.sql.gz.partial -> pratiko_backup_latest.sql.gz',
      'fsync (directory)',
      'openat .RECOVERY.md.partial',
      'fsync .RECOVERY.md.partial',
      'rename .RECOVERY.md.partial -> RECOVERY.md',
      'fsync (directory)',
      'unlink pratiko_backup_T.manifest.json',
      'unlink pratiko_backup_T.sql.gz',
      'fsync (directory)',
      'unlink .pratiko_backup.lock',
    ]);
  });
});
