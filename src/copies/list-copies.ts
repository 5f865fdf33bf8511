import { Failure } from '../base/errors.ts';
import type { Known } from '../base/known.ts';
import { byAge } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import type { Context } from '../context.ts';
import { knownCopy, readCopies, type KnownCopy } from './known-copies.ts';
import { openDestination } from './open-destination.ts';
import { requirePlaces } from './require-places.ts';
import { backupsAt, type Lying } from './stored-backup.ts';

/** What lies at one place of OFFSITE_URL. */
export interface Place {
  readonly url: string;
  /** Oldest first; of what is not here, too, the manifests of the newest were read. */
  readonly backups: Known<readonly KnownCopy[]>;
}

/**
 * Asks each place for copies which backups it has.
 * @throws Failure `usage` where there is none; `storage` where the backups here cannot be read.
 */
export async function listCopies(context: Context): Promise<Place[]> {
  const urls = requirePlaces(context.config);
  const here = await listBackups(context.config.backupDir);
  const manifests = new Map(here.map(({ name, manifest }) => [name, manifest]));
  return Promise.all(
    urls.map(async (url) => ({ url, backups: await askPlace(context, url, manifests) })),
  );
}

type Manifests = ReadonlyMap<string, KnownCopy['manifest']>;

async function askPlace(context: Context, url: string, here: Manifests): Promise<Place['backups']> {
  try {
    const lying = await backupsAt(context, openDestination(url, context));
    const isHere = ({ name }: Lying) => here.get(name) !== undefined;
    const read = await readCopies(context, lying, isHere);
    const byName = new Map(read.map((copy) => [copy.name, copy]));
    const copies = lying.map(
      (backup) => byName.get(backup.name) ?? knownCopy(backup, here.get(backup.name)),
    );
    return { value: copies.sort(byAge) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { unknown: error.message };
  }
}
