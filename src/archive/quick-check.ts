import { open } from 'node:fs/promises';
import type { Archive } from './read.ts';

/**
 * What the first look at a file tells, before anything is done with it.
 * @returns why it cannot be a good backup, or undefined: then reading all of it decides.
 */
export async function quickCheck({ path, bytes, manifest }: Archive): Promise<string | undefined> {
  if (bytes === 0) return 'the file is empty';
  if (typeof manifest === 'object' && manifest.fileBytes !== bytes) {
    return `it has ${bytes} bytes, its manifest says ${manifest.fileBytes}`;
  }
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.equals(Buffer.from([0x1f, 0x8b])) ? undefined : 'not gzip';
  } finally {
    await file.close();
  }
}
