import { join } from 'node:path';
import { encryptedEnding } from '../base/encryption.ts';
import { systemErrorCode } from '../base/errors.ts';
import { exists } from '../base/exists.ts';
import type { BackupFile } from './backup.ts';
import { writeDurably } from './durable-file.ts';
import { formatGlobalsName, type BackupName } from './names.ts';
import { readRegularFile } from './regular-file.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Writes the roles of a server beside a backup, durably.
 * @param bytes SQL, encrypted as the backup is.
 * @returns the name of the file.
 * @throws Failure `storage`.
 */
export async function writeGlobals(
  directory: string,
  backup: BackupName,
  bytes: Buffer,
): Promise<string> {
  const name = formatGlobalsName(backup);
  try {
    await writeDurably(directory, name, bytes);
  } catch (error) {
    throw storageFailure(`write ${join(directory, name)}`, error);
  }
  return name;
}

/** The path of the roles that belong to a backup, wherever that lies. */
export const globalsPathOf = ({ path }: Pick<BackupFile, 'path'>): string =>
  path.replace(endings, '.globals.sql$1');

const endings = new RegExp(`(?:\\.sql(?:\\.gz)?)?(${encryptedEnding})?$`);

/**
 * The roles that were stored beside a backup, as SQL that may be encrypted; undefined where there are none.
 * @throws Failure `storage`.
 */
export async function readGlobals(file: Pick<BackupFile, 'path'>): Promise<Buffer | undefined> {
  const path = globalsPathOf(file);
  try {
    return await readRegularFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read ${path}`, error);
  }
}

/** Whether roles were stored beside a backup. */
export const hasGlobals = (file: Pick<BackupFile, 'path'>): Promise<boolean> =>
  exists(globalsPathOf(file));
