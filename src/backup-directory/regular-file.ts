import { readFile, stat } from 'node:fs/promises';

/**
 * Reads a small file that is ours. What is no file fails as a directory does: to read a pipe or a device would not end.
 * @throws the error of the system, with its code.
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  if ((await stat(path)).isFile()) return readFile(path);
  throw Object.assign(new Error(`EISDIR: ${path} is no regular file`), { code: 'EISDIR' });
}
