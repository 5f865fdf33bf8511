import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { isAvailable } from './available.ts';
import { temporaryDirectory } from './cli.ts';

export const hasAge = isAvailable('age', ['--version'], 'without age, nothing else reads backups');
export const hasGpg = isAvailable(
  'gpg',
  ['--version'],
  'without gpg, nothing is encrypted with it',
);

/** A pair of keys of age, the private one in a file. */
export async function ageKeys(generate = generateX25519Identity) {
  const identity = await generate();
  const recipient = await identityToRecipient(identity);
  const file = join(await temporaryDirectory(), 'identity.txt');
  await writeFile(file, `# created: today\n# public key: ${recipient}\n${identity}\n`, {
    mode: 0o600,
  });
  return {
    identity,
    recipient,
    file,
    toEncrypt: { BACKUP_AGE_RECIPIENT: recipient },
    toDecrypt: { BACKUP_AGE_IDENTITY_FILE: file },
  };
}

export const postQuantum = generateHybridIdentity;

/** A home of gpg of its own; its agent is ended with the test. */
export async function gpgHome() {
  // Sockets have short names.
  const home = await mkdtemp(join(tmpdir(), 'gpg_'));
  const env = { PATH: process.env.PATH ?? '', GNUPGHOME: home, LC_ALL: 'C' };
  const gpg = (...args: string[]) =>
    execa('gpg', ['--batch', '--no-tty', '--quiet', ...args], { env, extendEnv: false });
  onTestFinished(async () => {
    await execa('gpgconf', ['--kill', 'all'], { env, extendEnv: false, reject: false });
    await rm(home, { recursive: true, force: true });
  });
  await mkdir(join(home, 'private-keys-v1.d'), { recursive: true, mode: 0o700 });
  return { env: { GNUPGHOME: home }, gpg };
}

/** The same with a key for `backup@example.org`, whose private part has this passphrase. */
export async function gpgKeys(passphrase = '', expires = 'never') {
  const home = await gpgHome();
  await home.gpg(
    ...['--pinentry-mode=loopback', `--passphrase=${passphrase}`],
    ...['--quick-generate-key', 'Backup <backup@example.org>', 'rsa2048', 'encr', expires],
  );
  return { ...home, toEncrypt: { ...home.env, BACKUP_GPG_RECIPIENT: 'backup@example.org' } };
}
