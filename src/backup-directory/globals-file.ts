import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../base/errors.ts';
import { bytesOf, textOf } from '../base/text.ts';
import type { BackupFile } from './backup.ts';
import { publish, syncDirectory, writePartial } from './durable-file.ts';
import { formatGlobalsName, type Stamp } from './names.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Writes the roles of a server beside a backup, durably.
 * @returns the name of the file.
 * @throws Failure `storage`.
 */
export async function writeGlobals(directory: string, stamp: Stamp, sql: string): Promise<string> {
  const name = formatGlobalsName(stamp);
  try {
    await writePartial(directory, name, bytesOf(sql));
    await publish(directory, name);
    await syncDirectory(directory);
  } catch (error) {
    throw storageFailure(`write ${join(directory, name)}`, error);
  }
  return name;
}

/** The path of the roles that belong to a backup, wherever that lies. */
export const globalsPathOf = ({ path }: Pick<BackupFile, 'path'>): string =>
  path.replace(/\.sql(?:\.gz)?$/, '') + '.globals.sql';

/**
 * The roles that were stored beside a backup, as SQL; undefined where there are none.
 * @throws Failure `storage`.
 */
export async function readGlobals(file: Pick<BackupFile, 'path'>): Promise<string | undefined> {
  const path = globalsPathOf(file);
  try {
    return textOf(await readFile(path));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read ${path}`, error);
  }
}
