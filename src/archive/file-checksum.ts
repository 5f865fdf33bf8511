import { createReadStream } from 'node:fs';
import type { Watched } from '../base/step.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';

/** A file, of which is known how large it is. */
interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Reads a file for its SHA-256, 64 hexadecimal digits.
 * @param what is done with it, for people: `verifying`.
 * @throws Failure `storage`.
 */
export async function checksumOfFile(
  { path, bytes: totalBytes }: SizedFile,
  what: string,
  { signal, onStep }: Watched,
): Promise<string> {
  const checksum = new Checksum();
  const file = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
  try {
    for await (const _ of checksum.through(file as AsyncIterable<Buffer>)) {
      onStep({ what, bytes: checksum.bytes, totalBytes });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${path}`, error);
  }
  return checksum.sha256();
}
