import { join } from 'node:path';
import { checksumOfFile } from '../archive/file-checksum.ts';
import { isCopyUrl } from '../config/values.ts';
import { Failure, type FailureKind } from '../base/errors.ts';
import { formatBytes, shellWord } from '../base/format.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { findBackup } from '../backup-directory/catalog.ts';
import { ensureDirectory } from '../backup-directory/directory.ts';
import { discardDraft, openDraft, publishDraft, sealDraft } from '../backup-directory/draft.ts';
import { recordEvent } from '../backup-directory/history.ts';
import type { CopyEvent } from '../backup-directory/history-event.ts';
import { lockDirectory, type Context } from '../context.ts';
import { chooseCopy } from './choose.ts';
import {
  download,
  fetchRoles,
  notWhatWasCopied,
  requireWhole,
  requireWholeThere,
} from './download.ts';
import type { Copy } from './stored-backup.ts';

export interface Fetched {
  readonly path: string;
  readonly hasRoles: boolean;
  /** The place where it lay, as in OFFSITE_URL. */
  readonly from: string;
}

export interface FetchOptions {
  /** A name, a timestamp or its beginning, or the URL of a copy; undefined: the newest good copy. */
  readonly called: string | undefined;
  /** What lies there is read, also where the backup is here already. */
  readonly readsThere: boolean;
  readonly waitSeconds: number;
}

/**
 * Brings a copy back into the backup directory, as the backup that it was: whole, durable and compared with
 * its manifest, or not at all.
 * @returns its path, and whether the roles of the server are beside it.
 * @throws Failure `usage`, `noSuchBackup`, `cannotConnect`; `verificationFailed` where the copy is not good; `storage`.
 */
export async function fetchBackup(context: Context, options: FetchOptions): Promise<Fetched> {
  const { backupDir, backupDirIsDefault } = context.config;
  await ensureDirectory(backupDir, backupDirIsDefault);
  await using _lock = await lockDirectory(context, 'fetch', options.waitSeconds);
  const failed = new Set<string>();
  for (;;) {
    const copy = await chooseCopy(context, options.called, failed);
    try {
      const here = findBackup(backupDir, copy.name);
      if (here === undefined) await bring(context, copy);
      else await requireSame(context, here, copy, options);
      return {
        path: join(backupDir, copy.name),
        hasRoles: copy.globals !== undefined,
        from: copy.from.url,
      };
    } catch (error) {
      context.signal.throwIfAborted();
      failed.add(copy.from.url);
      // Who wants to know how a copy is does not want another one.
      const isBad = error instanceof Failure && error.kind === 'verificationFailed';
      if (options.readsThere && isBad) throw error;
      const isOfPlace = error instanceof Failure && ofPlaces.includes(error.kind);
      // Another place may have it, or an older one.
      const others = isCopyUrl(options.called ?? '') ? [] : context.config.offsite.urls;
      if (!isOfPlace || others.every((url) => failed.has(url))) throw error;
      context.log.warn({ hint: error.hint }, error.message);
    }
  }
}

/** What another place may do better. */
const ofPlaces: readonly FailureKind[] = ['cannotConnect', 'verificationFailed', 'toolMissing'];

async function bring(context: Context, copy: Copy): Promise<void> {
  const { config, log } = context;
  const { backupDir } = config;
  log.info(`fetching ${copy.name} from ${copy.from.url}: ${formatBytes(copy.bytes)}`);
  const draft = await openDraft(backupDir, copy);
  try {
    await download(context, draft, copy);
    await sealDraft(draft);
    await requireWhole(context, draft, copy);
    await fetchRoles(context, copy);
    context.signal.throwIfAborted();
    await publishDraft(draft, copy.manifest?.text);
  } catch (error) {
    await discardDraft(draft, log);
    throw error;
  }
  const at = context.now().toISOString();
  const { name: backup, from } = copy;
  const event: CopyEvent = { at, event: 'copy', outcome: 'fetched', to: from.url, backup };
  await recordEvent(backupDir, event, log);
  // What was found of a file of its name before says nothing of this one.
  if (copy.manifest?.value !== undefined) {
    await recordEvent(backupDir, { at, event: 'verify', outcome: 'good', backup }, log);
  }
}

/** A file that is here already must be the copy; then its roles may still be missing. */
async function requireSame(
  context: Context,
  here: Backup,
  copy: Copy,
  { readsThere }: FetchOptions,
): Promise<void> {
  const { name, path, bytes } = here;
  const { sha256, fileBytes = copy.bytes } = copy.manifest?.value ?? {};
  if (copy.bytes !== fileBytes) throw notWhatWasCopied(copy);
  const isSame =
    bytes === copy.bytes &&
    (sha256 === undefined || sha256 === (await checksumOfFile(here, `comparing ${name}`, context)));
  if (!isSame) {
    throw new Failure('storage', `${path} is another file than its copy`, {
      hint: `if the copy is the good one, move this file away: mv ${shellWord(path)} ${shellWord(`${path}.other`)}`,
    });
  }
  context.log.info(`${name} is in ${context.config.backupDir} already`);
  if (readsThere) await requireWholeThere(context, here, copy);
  await fetchRoles(context, copy);
}
