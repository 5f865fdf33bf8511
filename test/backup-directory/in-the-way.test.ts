import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  createDraft,
  discardDraft,
  openDraft,
  publishDraft,
  writeFailure,
} from '../../src/backup-directory/draft.ts';
import { readGlobals, writeGlobals } from '../../src/backup-directory/globals-file.ts';
import { shortenHistory } from '../../src/backup-directory/history.ts';
import { acquireLock } from '../../src/backup-directory/lock.ts';
import { parseBackupName } from '../../src/backup-directory/names.ts';
import { writeNote } from '../../src/backup-directory/note-file.ts';
import { writeRecoveryPage } from '../../src/backup-directory/recovery-file.ts';
import { removeLeftovers } from '../../src/backup-directory/remove.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';

const name = 'pratiko_backup_20251129_020000.sql.gz';
const backup = parseBackupName(name);
if (backup === undefined) throw new Error(name);
const { signal } = new AbortController();
const now = () => new Date(2025, 10, 29, 2);
const partial = `.${name}.partial`;
const log = () => ({ warn: vi.fn() });

/** A directory in which these names are those of directories, that hold something. */
async function inTheWay(...names: string[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const each of names) await mkdir(join(directory, each, 'x'), { recursive: true });
  return directory;
}

test('a partial file that cannot be made is told with its path', async () => {
  const gone = join(await temporaryDirectory(), 'gone');
  const message = `cannot create ${join(gone, partial)}`;
  await expect(createDraft(gone, undefined, now, signal)).rejects.toThrow(message);
  await expect(openDraft(gone, backup)).rejects.toThrow(message);
});

test('two backups of a second would share a manifest: the second is not fetched', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, `${name}.age`), '');
  await expect(openDraft(directory, backup)).rejects.toThrow(
    `there is another backup of 20251129_020000 in ${directory}`,
  );
});

test('what cannot be removed of a draft is told, and hides no other error', async () => {
  const directory = await temporaryDirectory();
  const draft = await createDraft(directory, undefined, now, signal);
  const { warn } = log();
  await mkdir(join(directory, 'pratiko_backup_20251129_020000.globals.sql', 'x'), {
    recursive: true,
  });
  expect(await discardDraft(draft, { warn } as never)).toBe(false);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining(`${draft.path} is left: `));
});

test('a draft that has its name is a backup, and is not removed', async () => {
  const directory = await temporaryDirectory();
  const draft = await createDraft(directory, undefined, now, signal);
  await draft.file.close();
  await publishDraft(draft, '{}');
  expect(await discardDraft(draft, log() as never)).toBe(true);
  expect((await readdir(directory)).sort()).toEqual([
    'pratiko_backup_20251129_020000.manifest.json',
    name,
  ]);
});

test('an error that is none of the disk stays what it is', async () => {
  const draft = await createDraft(await temporaryDirectory(), undefined, now, signal);
  const error = new Error('psql was ended');
  expect(await writeFailure(draft, error, 0)).toBe(error);
  await draft.file.close();
});

test.each([
  [
    'roles that are to be written',
    'pratiko_backup_20251129_020000.globals.sql',
    (directory: string) => writeGlobals(directory, backup, Buffer.from('x')),
    'cannot write ',
  ],
  [
    'roles that are to be read',
    'pratiko_backup_20251129_020000.globals.sql',
    (directory: string) => readGlobals({ path: join(directory, name) }),
    'cannot read ',
  ],
  [
    'a note',
    'pratiko_backup_kept.json',
    (directory: string) => writeNote(directory, 'pratiko_backup_kept.json', {}),
    'cannot write pratiko_backup_kept.json to ',
  ],
  ['leftovers', partial, (directory: string) => removeLeftovers(directory), 'cannot tidy up '],
])('%s: a directory that has the name is told', async (_, named, act, message) => {
  const directory = await inTheWay(named);
  await expect(act(directory)).rejects.toMatchObject({
    kind: 'storage',
    message: expect.stringContaining(message) as string,
  });
  expect((await stat(join(directory, named, 'x'))).isDirectory()).toBe(true);
});

test('a history that cannot be put aside stays as it is', async () => {
  const directory = await inTheWay('pratiko_backup_history_older.jsonl');
  const path = join(directory, 'pratiko_backup_history.jsonl');
  await writeFile(path, 'x\n'.repeat(2_000_000));
  await expect(shortenHistory(directory)).rejects.toMatchObject({ kind: 'storage' });
  expect((await readFile(path)).length).toBe(4_000_000);
});

test('the page about recovery is not written anew where it says the same', async () => {
  const directory = await temporaryDirectory();
  const page = '<!-- written by pratiko-backup with each backup: changes are lost -->\n';
  const path = join(directory, 'RECOVERY.md');
  expect(await writeRecoveryPage(directory, page)).toBe(true);
  const { ino } = await stat(path);
  expect(await writeRecoveryPage(directory, page)).toBe(true);
  expect((await stat(path)).ino).toBe(ino);
});

test('where the takeover of a dead lock is held up for long, it goes on', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, '.pratiko_backup.lock');
  const record = { nonce: 'x', pid: 1, hostname: 'elsewhere', command: 'backup', since: 'x' };
  await writeFile(path, JSON.stringify(record));
  await writeFile(`${path}.takeover`, '');
  const later = () => new Date(Date.now() + 60_000);
  const request = { directory, pid: process.pid, hostname: 'here', command: 'backup', signal };
  await using lock = await acquireLock({ ...request, waitMs: 10_000, now: later });
  await lock.assertHeld();
  expect(await readdir(directory)).toEqual(['.pratiko_backup.lock']);
});

test('a pipe in the place of a file that is ours ends nothing, and holds up nobody', async () => {
  const { run, directory, manifestPath } = await backedUp();
  await rm(manifestPath);
  const names = ['pratiko_backup_kept.json', 'pratiko_backup_history.jsonl', 'RECOVERY.md'];
  for (const path of [manifestPath, ...names.map((each) => join(directory, each))]) {
    await rm(path, { force: true });
    execFileSync('mkfifo', [path]);
  }
  const listed = await run(['list']);
  expect(listed.stdout).toContain('DAMAGED');
  expect(listed.stderr).toContain('is no regular file');
  expect(listed).toExitWith(0);
  expect((await run(['backup'])).stderr).toContain('is good');
  const lock = join(directory, '.pratiko_backup.lock');
  execFileSync('mkfifo', [lock]);
  const locked = await run(['backup']);
  expect(locked.stderr).toContain(`cannot read the lock ${lock}: `);
  expect(locked).toExitWith(14);
});
