import { Failure } from '../base/errors.ts';
import { byAge, conditionOf, type Backup } from '../backup-directory/backup.ts';
import { momentOf } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import { complete, maxRead, newestFirst, type Lying } from './stored-backup.ts';

/** A backup that lies at a destination, and what its manifest tells, as of one that is here. */
export interface KnownCopy extends Omit<Backup, 'path'> {
  /** Where it lies, as in OFFSITE_URL. */
  readonly url: string;
}

/** So many manifests are asked for at a time. */
const atATime = 8;

/**
 * Reads the manifests of backups that lie at a destination, oldest first; of the newest only, where there are many. One
 * that cannot be read, or that no key opens, tells nothing.
 * @param isKnown leaves those out that need not be read.
 */
export async function readCopies(
  context: Context,
  lying: readonly Lying[],
  isKnown: (backup: Lying) => boolean,
): Promise<KnownCopy[]> {
  const newest = newestFirst(lying.filter((backup) => !isKnown(backup))).slice(0, maxRead);
  const copies: KnownCopy[] = [];
  for (let first = 0; first < newest.length; first += atATime) {
    const some = newest.slice(first, first + atATime);
    copies.push(...(await Promise.all(some.map((backup) => readCopy(context, backup)))));
  }
  return copies.sort(byAge);
}

async function readCopy(context: Context, backup: Lying): Promise<KnownCopy> {
  context.onStep({ what: `reading what is known of ${backup.name} (${backup.from.url})` });
  const { manifest: read } = await complete(context, backup).catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    context.log.debug(`nothing is known of ${backup.name}: ${error.message}`);
    return { manifest: undefined };
  });
  return knownCopy(backup, read?.value);
}

/** @param manifest of the same backup. */
export function knownCopy(
  { name, stamp, encryption, bytes, from }: Lying,
  manifest: Backup['manifest'],
): KnownCopy {
  const madeAt = manifest === undefined ? momentOf(stamp) : new Date(manifest.createdAt);
  const condition = conditionOf(bytes, manifest);
  return { name, stamp, encryption, bytes, manifest, condition, madeAt, url: from.url };
}
