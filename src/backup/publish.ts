import { verifyDraft } from '../archive/verify-draft.ts';
import { writeArchive, type Written } from '../archive/writer.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { createDraft, discardDraft, publishDraft, sealDraft } from '../backup-directory/draft.ts';
import type { Lock } from '../backup-directory/lock.ts';
import { formatManifest, type Manifest } from '../backup-directory/manifest.ts';
import type { BackupName } from '../backup-directory/names.ts';
import type { Config } from '../config/config.ts';
import { gpgFor, type Context } from '../context.ts';
import { openEncrypter, type Encrypter } from '../encryption/keys.ts';
import { newManifest, openSource, type Mark } from './source.ts';

export interface PublishOptions extends Mark {
  /** How many blocks are compressed at a time. */
  readonly jobs: number;
}

/** A backup that has its name. */
export interface Published extends BackupName {
  readonly name: string;
  /** What belongs to it is encrypted in the same way. */
  readonly encrypter: Encrypter | undefined;
  readonly manifest: Manifest;
  readonly contents: Written['contents'];
  /** What pg_dump has warned of. */
  readonly warnings: Written['warnings'];
}

/**
 * Dumps into a draft, encrypted if so configured, verifies what is on the disk, and only then gives it its name.
 * @throws Failure; nothing is left of the draft then.
 */
export async function publishBackup(
  context: Context,
  lock: Lock,
  options: PublishOptions,
): Promise<Published> {
  const { config, signal, onStep } = context;
  const [encrypter, source] = await Promise.all([
    openEncrypter(config.keys, gpgFor(context)),
    openSource(context),
  ]);
  const encryption = encrypter?.encryption;
  const expectedBytes = await lastDumpBytes(config);
  const draft = await createDraft(config.backupDir, encryption, context.now, signal);
  try {
    const written = await writeArchive(draft, source, {
      jobs: options.jobs,
      encrypter,
      expectedBytes,
      onStep,
    });
    await sealDraft(draft);
    await verifyDraft(draft, written, context);
    const manifest = newManifest(source, { ...options, ...written, encryption }, context);
    await lock.assertHeld();
    signal.throwIfAborted();
    await publishDraft(draft, formatManifest(manifest));
    const { name, stamp } = draft;
    const { contents, warnings } = written;
    return { name, stamp, encryption, encrypter, manifest, contents, warnings };
  } catch (error) {
    const isGone = await discardDraft(draft, context.log);
    if (signal.aborted && isGone) context.log.warn('no backup was made: no file was left');
    signal.throwIfAborted();
    await lock.assertHeld(); // else that is why
    throw error;
  }
}

/** The dump of the last backup of the database: about so large will this one be. */
async function lastDumpBytes({ backupDir, connection }: Config): Promise<number | undefined> {
  // A percentage is worth no failed backup.
  const backups = await listBackups(backupDir).catch(() => []);
  const manifests = backups.map(({ manifest }) => manifest);
  return manifests.findLast((manifest) => manifest?.database.name === connection.database)
    ?.dumpBytes;
}
