import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { readFileBytes } from '../archive/plain-sql.ts';
import { Failure } from '../base/errors.ts';
import { globalsPathOf, readGlobals } from '../backup-directory/globals-file.ts';
import type { KnownBackup } from '../backup-directory/copied.ts';
import { formatCopiedManifestName, formatManifestName } from '../backup-directory/names.ts';
import { readRegularFile } from '../backup-directory/regular-file.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { encryptAll, type Encrypter } from '../encryption/keys.ts';
import { Checksum } from '../streams/checksum.ts';
import type { SourceFile } from './destination.ts';

/**
 * What belongs to a backup, in the order in which it is stored: where the backup is, everything is. Of an encrypted
 * one, the manifest is encrypted, too.
 * @param encrypter of the same kind; without it, an encrypted backup goes without its manifest.
 * @throws Failure `storage`.
 */
export async function filesOf(
  backup: KnownBackup,
  encrypter: Encrypter | undefined,
  signal: AbortSignal,
): Promise<SourceFile[]> {
  const globals = await readGlobals(backup);
  return [
    ...(await manifestOf(backup, encrypter)),
    ...(globals === undefined ? [] : [inMemory(basename(globalsPathOf(backup)), globals)]),
    onDisk(backup, signal),
  ];
}

async function manifestOf(
  backup: KnownBackup,
  encrypter: Encrypter | undefined,
): Promise<SourceFile[]> {
  const { encryption, path, stamp } = backup;
  const plainPath = join(dirname(path), formatManifestName(stamp));
  const bytes = await readRegularFile(plainPath).catch((error: unknown) => {
    throw storageFailure(`read ${plainPath}`, error);
  });
  const name = formatCopiedManifestName(backup);
  if (encryption === undefined) return [inMemory(name, bytes)];
  return encrypter?.encryption === encryption
    ? [inMemory(name, await encryptAll(bytes, encrypter))]
    : [];
}

/** A small file that is in no directory. */
export function inMemory(name: string, bytes: Buffer): SourceFile {
  return {
    name,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    async *read(from = 0, to = bytes.length) {
      yield await Promise.resolve(bytes.subarray(from, to));
    },
  };
}

function onDisk({ name, path, manifest }: KnownBackup, signal: AbortSignal): SourceFile {
  const { fileBytes: bytes, sha256 } = manifest;
  return {
    name,
    bytes,
    sha256,
    read: (from, to) =>
      from === undefined || to === undefined
        ? whole(path, sha256, signal)
        : readFileBytes({ path }, signal, { start: from, end: to - 1 }),
  };
}

/** Bytes that are not those that were written reach no copy: its last chunk is missing. */
async function* whole(path: string, sha256: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const checksum = new Checksum();
  let last: Buffer | undefined;
  for await (const chunk of checksum.through(readFileBytes({ path }, signal))) {
    if (last !== undefined) yield last;
    last = chunk;
  }
  if (checksum.sha256() !== sha256) {
    throw new Failure('verificationFailed', `${basename(path)} is not what it was: it is damaged`, {
      hint: 'its bytes have changed on this disk; `pratiko-backup verify --all` tells which backups are good',
    });
  }
  if (last !== undefined) yield last;
}
