import type { Known } from '../base/known.ts';
import { totalRows } from '../base/table-rows.ts';
import { stateOf, type State } from '../backup-directory/backup.ts';
import type { KnownCopy } from '../copies/known-copies.ts';
import { listCopies } from '../copies/list-copies.ts';
import type { Context } from '../context.ts';
import { suspicionsOf } from './suspicions.ts';

/** What is known of a copy without reading it; what its manifest does not tell is undefined. */
export interface ListedCopy {
  readonly name: string;
  readonly bytes: number;
  readonly state: State;
  readonly database: string | undefined;
  readonly rows: number | undefined;
  /** Why to look at it, as in `list`. */
  readonly suspicion: string | undefined;
}

export interface ListedPlace {
  /** As in OFFSITE_URL. */
  readonly url: string;
  /** Newest first. */
  readonly copies: Known<readonly ListedCopy[]>;
}

/**
 * Asks each place of OFFSITE_URL what it has.
 * @throws Failure `usage` where there is none; `storage` where the backups here cannot be read.
 */
export async function listPlaces(context: Context): Promise<ListedPlace[]> {
  const places: ListedPlace[] = [];
  for (const { url, backups } of await listCopies(context)) {
    const copies = 'value' in backups ? { value: await judged(context, backups.value) } : backups;
    places.push({ url, copies });
  }
  return places;
}

async function judged(context: Context, copies: readonly KnownCopy[]): Promise<ListedCopy[]> {
  const suspicions = await suspicionsOf(context, copies);
  return copies.toReversed().map(({ name, bytes, condition, manifest }) => ({
    name,
    bytes,
    state: stateOf({ condition }),
    database: manifest?.database.name,
    rows: manifest && totalRows(manifest.tables),
    suspicion: suspicions.get(name),
  }));
}
