import { join } from 'node:path';
import { decryptAll } from '../archive/plain-sql.ts';
import { checksumOfFile } from '../archive/file-checksum.ts';
import { Failure } from '../base/errors.ts';
import { formatBytes } from '../base/format.ts';
import { findBackup } from '../backup-directory/catalog.ts';
import { ensureDirectory } from '../backup-directory/directory.ts';
import {
  discardDraft,
  openDraft,
  publishDraft,
  sealDraft,
  writeFailure,
  type Draft,
} from '../backup-directory/draft.ts';
import { readGlobals, writeGlobals } from '../backup-directory/globals-file.ts';
import { lockDirectory, readAccess, type Context } from '../context.ts';
import { Checksum } from '../streams/checksum.ts';
import { chooseCopy, type Copy } from './choose.ts';
import { withRetries } from './retry.ts';
import type { CopyProgress } from './store.ts';

export interface Fetched {
  readonly path: string;
  readonly hasRoles: boolean;
}

export interface FetchOptions {
  /** A name, a timestamp or its beginning, or the URL of a copy; undefined: the newest good copy. */
  readonly called: string | undefined;
  readonly waitSeconds: number;
  readonly onProgress?: (
    progress: Omit<CopyProgress, 'phase'> & { readonly phase: 'fetching' },
  ) => void;
}

/**
 * Brings a copy back into the backup directory, as the backup that it was: whole, durable and compared with
 * its manifest, or not at all.
 * @returns its path, and whether the roles of the server are beside it.
 * @throws Failure `usage`, `noSuchBackup`, `cannotConnect`; `verificationFailed` where the copy is not good; `storage`.
 */
export async function fetchBackup(context: Context, options: FetchOptions): Promise<Fetched> {
  const { config, log } = context;
  const { backupDir } = config;
  const copy = await chooseCopy(context, options.called);
  await ensureDirectory(backupDir, config.backupDirIsDefault);
  await using _lock = await lockDirectory(context, 'fetch', options.waitSeconds);
  const path = join(backupDir, copy.name);
  const here = findBackup(backupDir, copy.name);
  if (here !== undefined) {
    const isSame = here.condition !== 'otherSize' && here.bytes === copy.bytes;
    if (!isSame) throw inTheWay(path);
    log.info(`${copy.name} is in ${backupDir} already`);
    return { path, hasRoles: (await readGlobals(here)) !== undefined };
  }
  log.info(`fetching ${copy.name} from ${copy.from.url}: ${formatBytes(copy.bytes)}`);
  const draft = await openDraft(backupDir, copy);
  try {
    await download(context, draft, copy, options);
    await sealDraft(draft);
    await requireSame(context, draft, copy);
    context.signal.throwIfAborted();
    await publishDraft(draft, copy.manifest?.text);
  } catch (error) {
    await discardDraft(draft);
    throw error;
  }
  await fetchGlobals(context, copy);
  return { path, hasRoles: copy.globals !== undefined };
}

const inTheWay = (path: string) =>
  new Failure('storage', `${path} is another file than its copy`, {
    hint: `if the copy is the good one, move this file away: mv ${path} ${path}.other`,
  });

async function download(
  { signal, log }: Context,
  draft: Draft,
  { from, name, bytes: totalBytes }: Copy,
  { onProgress }: FetchOptions,
): Promise<void> {
  await withRetries(signal, log, async () => {
    await draft.file.truncate(0);
    const checksum = new Checksum();
    let position = 0;
    for await (const chunk of checksum.through(from.open(name))) {
      try {
        await draft.file.write(chunk, 0, chunk.length, position);
      } catch (error) {
        throw await writeFailure(draft, error, position);
      }
      position += chunk.length;
      onProgress?.({ name, to: from.url, bytes: position, totalBytes, phase: 'fetching' });
    }
  });
}

/** What lies on the disk now is what was copied once, as far as its manifest can tell. */
async function requireSame({ signal }: Context, draft: Draft, copy: Copy): Promise<void> {
  const { manifest, name, from } = copy;
  if (manifest?.value === undefined) return;
  if ((await checksumOfFile(draft.path, signal)) === manifest.value.sha256) return;
  throw new Failure(
    'verificationFailed',
    `what ${from.url} has of ${name} is not what was copied`,
    {
      hint: 'take another copy: `pratiko-backup list --offsite` shows them',
    },
  );
}

/** Roles that are stored beside it come along, as they are. */
async function fetchGlobals(context: Context, copy: Copy): Promise<void> {
  if (copy.globals === undefined) return;
  const bytes = await readAll(copy.from.open(copy.globals));
  // What cannot be opened later is not worth to have.
  await decryptAll(copy.globals, bytes, readAccess(context).keys);
  await writeGlobals(context.config.backupDir, copy, bytes);
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
