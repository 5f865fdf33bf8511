import type { Recipient } from 'age-encryption';
import { Defect, messageOf } from '../base/errors.ts';
import { decryptPayload, encryptPayload } from './age-payload.ts';
import { Locked } from './locked.ts';
import { split } from './split.ts';

/** Loaded when it is needed: it brings whole families of curves. */
const loadAge = () => import('age-encryption');

/** Behind the header, the library writes the salt and the tag of an empty payload. */
const emptyPayloadBytes = 32;

/**
 * Encrypts to public keys as age does (age-encryption.org/v1).
 * @param recipients valid ones, see `readRecipients`.
 */
export async function* encryptWithAge(
  chunks: AsyncIterable<Buffer>,
  recipients: readonly string[],
): AsyncGenerator<Buffer> {
  const { Encrypter } = await loadAge();
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const ours = new FileKey();
  encrypter.addRecipient(ours);
  const empty = Buffer.from(await encrypter.encrypt(new Uint8Array()));
  yield empty.subarray(0, -emptyPayloadBytes);
  yield* encryptPayload(chunks, ours.key);
}

/** Sees the key of the file, and adds nothing to its header. */
class FileKey implements Recipient {
  key: Uint8Array = new Uint8Array();

  wrapFileKey(fileKey: Uint8Array): [] {
    this.key = Uint8Array.from(fileKey);
    return [];
  }
}

/**
 * Decrypts what age has encrypted, and authenticates it: each chunk that it gives is as it was encrypted, and
 * where it ends, that was the end.
 * @param identities private keys, valid ones.
 * @throws Locked where none of them opens it; Defect where it is cut off, altered, or something is behind it.
 */
export async function* decryptWithAge(
  chunks: AsyncIterable<Buffer>,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  const file = await split(chunks, endOfHeader, maxHeaderBytes);
  if (file === undefined) throw damagedHeader();
  const { head, rest } = file;
  try {
    yield* decryptPayload(rest, await openHeader(head, identities));
  } finally {
    await rest.return();
  }
}

/** A header has a few hundred bytes for each key, of the largest kind 1.6 KB. */
const maxHeaderBytes = 1024 * 1024;

/** Behind the line with its authentication code. */
function endOfHeader(read: Buffer): number | undefined {
  const last = /\n--- [^\n]*\n/.exec(read.toString('latin1'));
  return last === null ? undefined : last.index + last[0].length;
}

const damagedHeader = () => new Defect('the header of its encryption is damaged');

async function openHeader(header: Buffer, identities: readonly string[]): Promise<Uint8Array> {
  const { Decrypter } = await loadAge();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (messageOf(error).startsWith('no identity matched')) throw lockedToOthers();
    throw damagedHeader();
  }
}

const lockedToOthers = () =>
  new Locked('it is encrypted with age, and no key in BACKUP_AGE_IDENTITY_FILE opens it', {
    hint: 'put the private key of the public key that was in BACKUP_AGE_RECIPIENT when it was made into that file; it may hold several, one a line',
    isWithoutKey: false,
  });

/** A new pair of keys. */
export async function generateKeys(): Promise<{
  readonly identity: string;
  readonly recipient: string;
}> {
  const { generateX25519Identity, identityToRecipient } = await loadAge();
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}
