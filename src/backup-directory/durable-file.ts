import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPartialName } from './names.ts';

/** Creates a file that only its owner can read, from its first moment; never opens an existing one. */
export async function createPrivateFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600);
}

/** Makes renames and removals in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a small file durably under its partial name; `publish` then gives it its own. What a run that was killed
 * has left of it goes.
 */
export async function writePartial(
  directory: string,
  name: string,
  text: string | Buffer,
): Promise<void> {
  const path = join(directory, formatPartialName(name));
  await rm(path, { force: true });
  const file = await createPrivateFile(path);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined); // else the next run removes it
    throw error;
  } finally {
    await file.close();
  }
}

/** Writes a small file whole and durably, in place of one that has its name. */
export async function writeDurably(
  directory: string,
  name: string,
  text: string | Buffer,
): Promise<void> {
  await writePartial(directory, name, text);
  await publish(directory, name);
  await syncDirectory(directory);
}

/** Gives a durable partial file its own name. The caller syncs the directory. */
export async function publish(directory: string, name: string): Promise<void> {
  await rename(join(directory, formatPartialName(name)), join(directory, name));
}
