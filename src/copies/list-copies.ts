import { Failure } from '../base/errors.ts';
import type { Known } from '../base/known.ts';
import { parseBackupName } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import type { StoredFile } from './destination.ts';
import { openDestination } from './open-destination.ts';
import { withRetries } from './retry.ts';
import { requirePlaces } from './require-places.ts';

/** What lies at one place of OFFSITE_URL. */
export interface Place {
  readonly url: string;
  /** Newest first. */
  readonly backups: Known<readonly StoredFile[]>;
}

/**
 * Asks each place for copies which backups it has.
 * @throws Failure `usage` where there is none.
 */
export async function listCopies(context: Context): Promise<Place[]> {
  const urls = requirePlaces(context.config);
  return Promise.all(urls.map(async (url) => ({ url, backups: await askPlace(context, url) })));
}

async function askPlace(context: Context, url: string): Promise<Place['backups']> {
  const { signal, log } = context;
  try {
    const destination = openDestination(url, context);
    const files = await withRetries(signal, log, () => destination.list());
    const backups = files.filter(({ name }) => parseBackupName(name) !== undefined);
    return { value: backups.sort((a, b) => (a.name < b.name ? 1 : -1)) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return { unknown: error.message };
  }
}
