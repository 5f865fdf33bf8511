import { createReadStream } from 'node:fs';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';

/**
 * Reads a file for its SHA-256, 64 hexadecimal digits.
 * @param onBytes is told how many bytes were read.
 * @throws Failure `storage`.
 */
export async function checksumOfFile(
  path: string,
  signal: AbortSignal,
  onBytes?: (readBytes: number) => void,
): Promise<string> {
  const checksum = new Checksum();
  const file = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
  try {
    for await (const _ of checksum.through(file as AsyncIterable<Buffer>)) {
      onBytes?.(checksum.bytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${path}`, error);
  }
  return checksum.sha256();
}
