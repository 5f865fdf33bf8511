import type { Config } from '../config/config.ts';
import { collect, only } from '../base/chunks.ts';
import type { Encryption } from '../base/encryption.ts';
import { Failure } from '../base/errors.ts';
import { decryptWithAge, encryptWithAge } from './age.ts';
import { readIdentities } from './age-identities.ts';
import { readRecipients } from './age-recipients.ts';
import { decryptWithGpg, encryptWithGpg, type Gpg } from './gpg.ts';
import { Locked } from './locked.ts';

type KeySettings = Config['keys'];

/** Encrypts to keys that were found to be good. */
export interface Encrypter {
  readonly encryption: Encryption;
  readonly encrypt: (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;
}

/** Opens what is encrypted. */
export interface Keys {
  /**
   * @throws Locked where no key opens it; Defect where it is not as it was encrypted; Failure `usage` where a key
   *   cannot be read, `toolMissing`.
   */
  readonly decrypt: (
    chunks: AsyncIterable<Buffer>,
    encryption: Encryption,
  ) => AsyncIterable<Buffer>;
}

/** Where no key is asked for. */
export function keysOf({ ageIdentityFile }: KeySettings, gpg: Gpg): Keys {
  return {
    decrypt: (chunks, encryption) =>
      encryption === 'gpg' ? decryptWithGpg(chunks, gpg) : decryptAge(chunks, ageIdentityFile),
  };
}

async function* decryptAge(
  chunks: AsyncIterable<Buffer>,
  identityFile: string | undefined,
): AsyncGenerator<Buffer> {
  if (identityFile === undefined) {
    throw new Locked('it is encrypted with age, and no private key is given', {
      hint: 'set BACKUP_AGE_IDENTITY_FILE to the file with the private key that belongs to it',
      isWithoutKey: true,
    });
  }
  yield* decryptWithAge(chunks, await readIdentities(identityFile));
}

/** Encrypts something small. */
export async function encryptAll(bytes: Buffer, { encrypt }: Encrypter): Promise<Buffer> {
  return collect(encrypt(only(bytes)));
}

/**
 * What encrypts new backups; undefined where they are not to be encrypted. That its key can encrypt is tried.
 * @throws Failure `usage` where it cannot, or both ways are set; `toolMissing`.
 */
export async function openEncrypter(
  { ageRecipient, gpgRecipient, resolvePath }: KeySettings,
  gpg: Gpg,
): Promise<Encrypter | undefined> {
  if (ageRecipient !== undefined && gpgRecipient !== undefined) {
    throw new Failure('usage', 'BACKUP_AGE_RECIPIENT and BACKUP_GPG_RECIPIENT are both set', {
      hint: 'set the one with which new backups are to be encrypted; older ones stay readable with their own keys',
    });
  }
  if (ageRecipient !== undefined) {
    const recipients = await readRecipients(ageRecipient, resolvePath);
    return { encryption: 'age', encrypt: (chunks) => encryptWithAge(chunks, recipients) };
  }
  if (gpgRecipient === undefined) return undefined;
  const encrypt = (chunks: AsyncIterable<Buffer>) => encryptWithGpg(chunks, gpgRecipient, gpg);
  await requireUsable(encrypt);
  return { encryption: 'gpg', encrypt };
}

/** @throws Failure `usage` where something small cannot be encrypted. */
async function requireUsable(encrypt: Encrypter['encrypt']): Promise<void> {
  try {
    await collect(encrypt(only(Buffer.alloc(0))));
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'dumpFailed')) throw error;
    const { message, hint } = error;
    throw new Failure('usage', message, { hint, cause: error });
  }
}
