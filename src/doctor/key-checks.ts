import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { collect, only } from '../base/chunks.ts';
import { shellWord } from '../base/format.ts';
import { gpgFor, readAccess, type Context } from '../context.ts';
import { encryptAll, openEncrypter, type Encrypter } from '../encryption/keys.ts';
import { Locked } from '../encryption/locked.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/** Whether new backups can be encrypted, and opened again, as far as that can be known here. */
export async function keyChecks(context: Context): Promise<Check[]> {
  try {
    const encrypter = await openEncrypter(context.config.keys, gpgFor(context));
    return [
      encrypter === undefined
        ? ok('keys', 'new backups are not encrypted')
        : await roundTrip(encrypter, context),
      ...(await identityFileChecks(context)),
    ];
  } catch (error) {
    return [failedBy('keys', error)];
  }
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
    if (!error.isWithoutKey) return failed('keys', `${told}, but ${error.clause}`, error.hint);
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
