import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { collect, only } from '../base/chunks.ts';
import { formatPlural, shellWord } from '../base/format.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { missingAt } from '../backup-directory/copied.ts';
import { readHistory } from '../backup-directory/history.ts';
import { gpgFor, readAccess, type Context } from '../context.ts';
import { encryptAll, openEncrypter, type Encrypter } from '../encryption/keys.ts';
import { Locked } from '../encryption/locked.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/** Whether new backups can be encrypted, and opened again, as far as that can be known here. */
export async function keyChecks(context: Context, backups: readonly Backup[]): Promise<Check[]> {
  try {
    const encrypter = await openEncrypter(context.config.keys, gpgFor(context));
    return [
      encrypter === undefined
        ? notEncrypted(context, backups)
        : await roundTrip(encrypter, context),
      ...(encrypter === undefined ? [] : await plainCopyChecks(context, backups)),
      ...(await identityFileChecks(context)),
    ];
  } catch (error) {
    return [failedBy('keys', error)];
  }
}

/** Settings get lost with a machine: then a new backup lies in plaintext beside those that are encrypted. */
const notEncrypted = ({ config }: Context, backups: readonly Backup[]): Check =>
  backups.at(-1)?.encryption === undefined && config.keys.ageIdentityFile === undefined
    ? ok('keys', 'new backups are not encrypted')
    : warning(
        'keys',
        'new backups are not encrypted, but those before are, or a private key is here',
        'set BACKUP_AGE_RECIPIENT (the public key stands in the file with the private one) or BACKUP_GPG_RECIPIENT',
      );

/** What was made before encryption was turned on is copied as it is. */
async function plainCopyChecks({ config }: Context, backups: readonly Backup[]): Promise<Check[]> {
  const history = await readHistory(config.backupDir);
  const places = config.offsite.urls.map((url) => ({ url, history }));
  const plain = places.flatMap((place) =>
    missingAt(place, backups).filter(({ encryption }) => encryption === undefined),
  );
  const names = new Set(plain.map(({ name }) => name));
  if (names.size === 0) return [];
  return [
    warning(
      'keys',
      `${formatPlural(names.size, 'backup')} made without encryption would be copied as they are`,
      'move them out of the directory, with their manifests, or unset OFFSITE_URL until they have expired',
    ),
  ];
}

/** Encrypts something, and opens it. */
async function roundTrip(encrypter: Encrypter, context: Context): Promise<Check> {
  const { encryption } = encrypter;
  const told = `new backups are encrypted with ${encryption}`;
  const probe = await encryptAll(Buffer.from('probe'), encrypter);
  try {
    await collect(readAccess(context).keys.decrypt(only(probe), encryption));
    return ok('keys', `${told}; a private key here opens them`);
  } catch (error) {
    if (!(error instanceof Locked)) throw error;
    if (!error.isWithoutKey) {
      return failed('keys', `${told}, and the private key here does not open them`, error.hint);
    }
    return context.config.backupDrill
      ? failed('keys', `${told}; BACKUP_DRILL=always has to open them, and cannot`, error.hint)
      : ok('keys', `${told}; no private key here: keep it in two other places`);
  }
}

async function identityFileChecks({ config }: Context): Promise<Check[]> {
  const path = config.keys.ageIdentityFile;
  const stats = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || stats === undefined) return [];
  return [
    ...((stats.mode & 0o077) === 0
      ? []
      : [
          warning(
            'keys',
            `${path} can be read by others, and it holds a private key`,
            `chmod 600 ${shellWord(path)}`,
          ),
        ]),
    ...(dirname(path) === config.backupDir
      ? [
          warning(
            'keys',
            'the private key lies beside the backups: who has them has it, too',
            'move it, and name its place in BACKUP_AGE_IDENTITY_FILE',
          ),
        ]
      : []),
  ];
}
