import { verifyDraft } from '../archive/verify-draft.ts';
import { writeArchive, type WriteProgress } from '../archive/writer.ts';
import { messageOf } from '../base/errors.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { createDraft, discardDraft, publishDraft, sealDraft } from '../backup-directory/draft.ts';
import type { Lock } from '../backup-directory/lock.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import type { Stamp } from '../backup-directory/names.ts';
import type { Config } from '../config/config.ts';
import type { Context } from '../context.ts';
import type { DumpContents } from '../dump/contents.ts';
import { describeBackup, openSource } from './source.ts';

export interface PublishOptions {
  /** How many blocks are compressed at a time. */
  readonly jobs: number;
  readonly onProgress?: (progress: WriteProgress) => void;
}

/** A backup that has its name. */
export interface Published {
  readonly stamp: Stamp;
  readonly manifest: Manifest;
  readonly contents: DumpContents;
}

/**
 * Dumps into a draft, verifies what is on the disk, and only then gives it its name.
 * @throws Failure; nothing is left of the draft then.
 */
export async function publishBackup(
  context: Context,
  lock: Lock,
  options: PublishOptions,
): Promise<Published> {
  const { config, signal } = context;
  const source = await openSource(context);
  const draft = await createDraft(config.backupDir, context.now, signal);
  try {
    const expectedBytes = await lastDumpBytes(config);
    const written = await writeArchive(draft, source, { ...options, expectedBytes });
    await sealDraft(draft);
    await verifyDraft(draft, written, signal, options);
    const manifest = describeBackup(source, written, context);
    await lock.assertHeld();
    signal.throwIfAborted();
    await publishDraft(draft, manifest);
    return { stamp: draft.stamp, manifest, contents: written.contents };
  } catch (error) {
    await discardDraft(draft).catch((failure: unknown) =>
      context.log.warn(`${draft.path} is left: ${messageOf(failure)}`),
    );
    signal.throwIfAborted();
    await lock.assertHeld(); // else that is why
    throw error;
  }
}

/** The dump of the last backup of the database: about so large will this one be. */
async function lastDumpBytes({ backupDir, connection }: Config): Promise<number | undefined> {
  const manifests = (await listBackups(backupDir)).map(({ manifest }) => manifest);
  return manifests.findLast((manifest) => manifest?.database.name === connection.database)
    ?.dumpBytes;
}
