import { stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOfFile } from '../archive/file-checksum.ts';
import { decryptAll } from '../archive/plain-sql.ts';
import { collect } from '../base/chunks.ts';
import { Failure } from '../base/errors.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { writeFailure, type Draft } from '../backup-directory/draft.ts';
import { hasGlobals, writeGlobals } from '../backup-directory/globals-file.ts';
import { readAccess, type Context } from '../context.ts';
import { Checksum } from '../streams/checksum.ts';
import type { Copy } from './stored-backup.ts';
import { withRetries } from './retry.ts';
import { readBack } from './store.ts';

/**
 * Writes a copy into a draft; where the connection breaks, from the beginning.
 * @throws Failure `cannotConnect`, `storage`.
 */
export async function download(
  { signal, log, onStep }: Context,
  draft: Draft,
  { from, name, bytes: totalBytes }: Copy,
): Promise<void> {
  await withRetries(signal, log, async () => {
    await draft.file.truncate(0);
    const checksum = new Checksum();
    let position = 0;
    for await (const chunk of checksum.through(from.open(name))) {
      try {
        await writeAt(draft.file, chunk, position);
      } catch (error) {
        throw await writeFailure(draft, error, position);
      }
      position += chunk.length;
      onStep({ what: `fetching ${name} (${from.url})`, bytes: position, totalBytes });
    }
  });
}

/** A disk that is almost full takes a part, and says so only the next time. */
async function writeAt(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * What lies on the disk now is what was copied once, as far as its manifest, or its size, can tell.
 * @throws Failure `verificationFailed` where it is not.
 */
export async function requireWhole(context: Context, draft: Draft, copy: Copy): Promise<void> {
  const { manifest, name, bytes } = copy;
  const isWhole =
    manifest?.value === undefined
      ? (await stat(draft.path)).size === bytes
      : (await checksumOfFile({ path: draft.path, bytes }, `comparing ${name}`, context)) ===
        manifest.value.sha256;
  if (!isWhole) throw notWhatWasCopied(copy);
}

/**
 * The same of what lies there, without fetching it: the backup that it is a copy of is here.
 * @throws Failure `verificationFailed`, `cannotConnect`, `storage`.
 */
export async function requireWholeThere(context: Context, here: Backup, copy: Copy): Promise<void> {
  const { signal, log, onStep } = context;
  const { from, name, bytes: totalBytes } = copy;
  const what = `reading ${name} (${from.url})`;
  const found = await withRetries(signal, log, () =>
    readBack(from, name, (bytes) => onStep({ what, bytes, totalBytes })),
  );
  const sha256 =
    copy.manifest?.value?.sha256 ?? (await checksumOfFile(here, `comparing ${name}`, context));
  if (found !== sha256) throw notWhatWasCopied(copy);
  log.info(`what ${from.url} has of ${name} is what was copied`);
}

/** Its bytes are others. */
export const notWhatWasCopied = ({ from, name }: Copy) =>
  new Failure('verificationFailed', `what ${from.url} has of ${name} is not what was copied`, {
    hint: 'take another copy: `pratiko-backup list --offsite` shows them',
  });

/**
 * The roles that are stored beside a copy come along, as they are, and can be opened.
 * @throws Failure `cannotConnect`, `storage`, `verificationFailed`; Locked.
 */
export async function fetchRoles(context: Context, copy: Copy): Promise<void> {
  const { globals, from } = copy;
  const { config, signal, log } = context;
  const path = join(config.backupDir, copy.name);
  if (globals === undefined || (await hasGlobals({ path }))) return;
  const bytes = await withRetries(signal, log, () => collect(from.open(globals)));
  await decryptAll(globals, bytes, readAccess(context).keys);
  await writeGlobals(config.backupDir, copy, bytes);
}
