import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Defect } from '../base/errors.ts';
import { split } from './split.ts';

// The payload of age's format (age-encryption.org/v1, "Payload"): chunks of ChaCha20-Poly1305, which Node does
// ten times as fast as the library that does the rest.

const chunkBytes = 64 * 1024;
const tagBytes = 16;
const saltBytes = 16;

/** Encrypts what follows the header of a file. */
export async function* encryptPayload(
  plain: AsyncIterable<Buffer>,
  fileKey: Uint8Array,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes);
  const key = payloadKey(fileKey, salt);
  yield salt;
  for await (const { bytes, nonce } of numbered(plain, chunkBytes)) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
    const encrypted = cipher.update(bytes);
    cipher.final();
    yield encrypted;
    yield cipher.getAuthTag();
  }
}

/**
 * Decrypts what follows the header of a file. A chunk is given once it is authenticated.
 * @throws Defect where it is cut off, altered, out of order, or something is behind it.
 */
export async function* decryptPayload(
  encrypted: AsyncIterable<Buffer>,
  fileKey: Uint8Array,
): AsyncGenerator<Buffer> {
  const payload = await split(encrypted, endOfSalt, saltBytes);
  let decrypted = 0;
  const cutOff = () =>
    new Defect(`its encrypted data is cut off or altered after byte ${decrypted}`);
  if (payload === undefined) throw cutOff();
  const key = payloadKey(fileKey, payload.head);
  for await (const { bytes, nonce } of numbered(payload.rest, chunkBytes + tagBytes)) {
    const plain = open(bytes, key, nonce);
    // Only of nothing at all is the last chunk empty.
    if (plain === undefined || (plain.length === 0 && decrypted > 0)) throw cutOff();
    decrypted += plain.length;
    yield plain;
  }
}

/** Undefined where the chunk is not what was encrypted with this key under this number. */
function open(bytes: Buffer, key: Buffer, nonce: Buffer): Buffer | undefined {
  if (bytes.length < tagBytes) return undefined;
  const end = bytes.length - tagBytes;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(end));
  const plain = decipher.update(bytes.subarray(0, end));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

const endOfSalt = ({ length }: Buffer) => (length < saltBytes ? undefined : saltBytes);

const payloadKey = (fileKey: Uint8Array, salt: Buffer) =>
  Buffer.from(hkdfSync('sha256', fileKey, salt, 'payload', 32));

/** Cuts a stream into chunks. Their nonces are their numbers, and that of the last one says that it is the last. */
async function* numbered(
  stream: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly nonce: Buffer }> {
  let held: Buffer = Buffer.alloc(0);
  let number = 0n;
  const next = (bytes: Buffer, isLast: boolean) => {
    const nonce = Buffer.alloc(12, 0);
    nonce.writeBigUInt64BE(number, 3);
    nonce[11] = isLast ? 1 : 0;
    number += 1n;
    return { bytes, nonce };
  };
  for await (const chunk of stream) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (; held.length > size; held = held.subarray(size)) {
      yield next(held.subarray(0, size), false);
    }
  }
  yield next(held, true);
}
