import { join } from 'node:path';
import type { z } from 'zod';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { writeDurably } from './durable-file.ts';
import { readRegularFile } from './regular-file.ts';
import { storageFailure } from './storage-failure.ts';

/**
 * Reads what was noted for a backup directory in a file of its own.
 * @param hint what to do where it makes no sense.
 * @returns undefined where there is none.
 * @throws Failure `storage`.
 */
export async function readNote<Note extends z.ZodType>(
  directory: string,
  name: string,
  schema: Note,
  hint: string,
): Promise<z.output<Note> | undefined> {
  const path = join(directory, name);
  let text: string;
  try {
    text = (await readRegularFile(path)).toString();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read ${path}`, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure('storage', `${path} makes no sense`, { hint, cause });
  }
}

/**
 * Writes it down, durably. Only under the lock.
 * @throws Failure `storage`.
 */
export async function writeNote(directory: string, name: string, note: object): Promise<void> {
  try {
    await writeDurably(directory, name, `${JSON.stringify(note, null, 2)}\n`);
  } catch (error) {
    throw storageFailure(`write ${name} to ${directory}`, error);
  }
}
