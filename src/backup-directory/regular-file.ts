import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/**
 * Reads a small file that is ours. What is no file fails as a directory does: to read a pipe or a device would not end.
 * @throws the error of the system, with its code.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  if ((await stat(path)).isFile()) return readFile(path);
  throw noFile(path);
}

/** The same at once, as text. */
export function readRegularFileSync(path: string): string {
  if (statSync(path).isFile()) return readFileSync(path, 'utf8');
  throw noFile(path);
}

const noFile = (path: string) =>
  Object.assign(new Error(`EISDIR: ${path} is no regular file`), { code: 'EISDIR' });
