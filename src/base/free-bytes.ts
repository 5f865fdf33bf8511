import { statfs } from 'node:fs/promises';

/** How many bytes a user may still write to the disk of a directory. */
export async function freeBytesAt(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
