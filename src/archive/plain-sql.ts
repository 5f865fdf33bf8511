import { createReadStream } from 'node:fs';
import { collect, only } from '../base/chunks.ts';
import { encryptedEnding } from '../base/encryption.ts';
import { Defect, Failure } from '../base/errors.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { parseBackupName } from '../backup-directory/names.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { detectEncryption } from '../encryption/detect.ts';
import type { Keys } from '../encryption/keys.ts';
import { Locked } from '../encryption/locked.ts';
import { gunzip, isGzip } from '../streams/gunzip.ts';
import { peek } from '../streams/peek.ts';

/**
 * The bytes of a file, as they are on the disk.
 * @param range offsets, both inclusive; without it, the whole file.
 * @throws Failure `storage`
 */
export async function* readFileBytes(
  { path }: Pick<BackupFile, 'path'>,
  signal: AbortSignal,
  range: { readonly start?: number; readonly end?: number } = {},
): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { ...range, highWaterMark: 256 * 1024, signal });
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${path}`, error);
  } finally {
    file.destroy();
  }
}

/**
 * Decrypts the bytes of a file, if they are encrypted: the first ones tell. A backup's name must agree.
 * @throws Locked where no key opens it; Defect.
 */
export async function* decrypted(
  { name }: Pick<BackupFile, 'name'>,
  bytes: AsyncIterable<Buffer>,
  keys: Keys,
): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(bytes);
  try {
    const found = first && detectEncryption(first);
    const claimed = parseBackupName(name)?.encryption;
    if (claimed !== undefined && claimed !== found) {
      throw new Defect(first === undefined ? 'the file is empty' : `not encrypted with ${claimed}`);
    }
    yield* found === undefined ? whole : keys.decrypt(whole, found);
  } catch (error) {
    throw error instanceof Locked ? error.of(name) : error;
  } finally {
    await whole.return();
  }
}

/**
 * The whole of a small file that may be encrypted.
 * @param bytes of a file that is called `name`.
 * @throws Locked where no key opens it; Failure `verificationFailed` where it is not as it was encrypted.
 */
export async function decryptAll(name: string, bytes: Buffer, keys: Keys): Promise<Buffer> {
  try {
    return await collect(decrypted({ name }, only(bytes), keys));
  } catch (error) {
    if (!(error instanceof Defect)) throw error;
    throw new Failure('verificationFailed', `${name} is not good: ${error.message}`, {
      hint: 'without it, everything else may be good; take another backup if it is needed',
      cause: error,
    });
  }
}

/**
 * Decompresses the decrypted bytes of a file. It is gzip unless neither its first bytes nor its name say so:
 * plain SQL is read as it is.
 */
export async function* decompressed(
  { name }: Pick<BackupFile, 'name'>,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const { first, whole } = await peek(bytes);
  const isCompressed = isNamedGzip(name) || (first !== undefined && isGzip(first));
  yield* isCompressed ? gunzip(whole) : whole;
}

const namedGzip = new RegExp(`\\.gz(?:${encryptedEnding}|\\.asc)?$`);

/** Whether a file is called gzip, whatever it is encrypted with. */
export const isNamedGzip = (name: string): boolean => namedGzip.test(name);
