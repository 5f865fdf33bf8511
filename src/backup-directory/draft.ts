import { rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Encryption } from '../base/encryption.ts';
import { Failure, messageOf, systemErrorCode } from '../base/errors.ts';
import { exists } from '../base/exists.ts';
import { formatBytes } from '../base/format.ts';
import { freeBytesAt } from '../base/free-bytes.ts';
import type { Log } from '../base/log.ts';
import { createPrivateFile, publish, syncDirectory, writeDurably } from './durable-file.ts';
import { readLatestBackup } from './latest.ts';
import {
  backupNamesOf,
  formatBackupName,
  formatGlobalsName,
  formatManifestName,
  formatPartialName,
  formatStamp,
  type BackupName,
  type Stamp,
} from './names.ts';
import { storageFailure } from './storage-failure.ts';

/** A backup that does not have its name yet. */
export interface Draft extends BackupName {
  /** The name that it will have. */
  readonly name: string;
  readonly directory: string;
  /** The path of the partial file. */
  readonly path: string;
  readonly file: FileHandle;
}

/**
 * Creates the partial file of a new backup under a stamp that nothing else has; where this second
 * is taken, that of a later one.
 */
export async function createDraft(
  directory: string,
  encryption: Encryption | undefined,
  now: () => Date,
  signal: AbortSignal,
): Promise<Draft> {
  for (;;) {
    const stamp = formatStamp(now());
    const name = formatBackupName({ stamp, encryption });
    const path = join(directory, formatPartialName(name));
    if (await isTaken(directory, stamp)) {
      await sleep(100, undefined, { signal });
      continue;
    }
    try {
      return { name, stamp, encryption, directory, path, file: await createPrivateFile(path) };
    } catch (error) {
      throw storageFailure(`create ${path}`, error);
    }
  }
}

/**
 * Creates the partial file of a backup that has a name already, for it was made elsewhere or before. What a run that
 * was killed has left of it goes. Only under the lock.
 * @throws Failure `storage`, also where there is a backup of that second that is encrypted in another way.
 */
export async function openDraft(directory: string, backup: BackupName): Promise<Draft> {
  const { stamp, encryption } = backup;
  const name = formatBackupName(backup);
  const path = join(directory, formatPartialName(name));
  if (await isTaken(directory, stamp)) {
    throw new Failure('storage', `there is another backup of ${stamp} in ${directory}`, {
      hint: 'they would share a manifest: move that one away, or use another --backup-dir',
    });
  }
  try {
    await rm(path, { force: true });
    return { name, stamp, encryption, directory, path, file: await createPrivateFile(path) };
  } catch (error) {
    throw storageFailure(`create ${path}`, error);
  }
}

/** Makes what was written durable and closes the file. */
export async function sealDraft(draft: Draft): Promise<void> {
  try {
    await draft.file.sync();
    await draft.file.close();
  } catch (error) {
    throw storageFailure(`write ${draft.path}`, error);
  }
}

/**
 * Gives a sealed draft its name. The manifest is in place and durable before.
 * @param manifest its text; undefined only for a copy that has none.
 */
export async function publishDraft(draft: Draft, manifest: string | undefined): Promise<void> {
  const { directory, stamp, name } = draft;
  try {
    if (manifest !== undefined) {
      await writeDurably(directory, formatManifestName(stamp), manifest);
    }
    await publish(directory, name);
    await syncDirectory(directory);
  } catch (error) {
    throw storageFailure(`publish ${name}`, error);
  }
}

/**
 * Removes everything of a draft that was not published. Why it was not is what matters: where something is left,
 * that is told, and is no error.
 * @returns whether nothing is left.
 */
export async function discardDraft(draft: Draft, log: Log): Promise<boolean> {
  try {
    await remove(draft);
    return true;
  } catch (error) {
    log.warn(`${draft.path} is left: ${messageOf(error)}`);
    return false;
  }
}

async function remove(draft: Draft): Promise<void> {
  const { directory, name, stamp, path, file } = draft;
  await file.close().catch(() => undefined); // it may be closed already
  await rm(path, { force: true });
  if (await exists(join(directory, name))) return;
  const manifest = formatManifestName(stamp);
  await rm(join(directory, formatPartialName(manifest)), { force: true });
  await rm(join(directory, manifest), { force: true });
  await rm(join(directory, formatGlobalsName(draft)), { force: true });
}

/**
 * An error while a draft was filled: of the disk, with the room there is and the room it takes, or
 * any other.
 * @param writtenBytes that were written before.
 */
export async function writeFailure(
  draft: Draft,
  error: unknown,
  writtenBytes: number,
): Promise<unknown> {
  if (!/^E(?!RR_)[A-Z0-9]+$/.test(systemErrorCode(error) ?? '')) return error;
  const room = await describeRoom(draft, writtenBytes).catch(() => 'room unknown');
  return storageFailure(`write the backup to ${draft.directory} (${room})`, error);
}

async function describeRoom({ directory }: Draft, writtenBytes: number): Promise<string> {
  const free = await freeBytesAt(directory);
  const last = await readLatestBackup(directory);
  const needed =
    last === undefined
      ? `more than ${formatBytes(writtenBytes)} needed`
      : `the last backup took ${formatBytes(last.bytes)}`;
  return `${formatBytes(free + writtenBytes)} free, ${needed}`;
}

async function isTaken(directory: string, stamp: Stamp): Promise<boolean> {
  const taken = await Promise.all(
    backupNamesOf(stamp).map((name) => exists(join(directory, name))),
  );
  return taken.includes(true);
}
