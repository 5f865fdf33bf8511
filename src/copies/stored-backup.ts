import { decryptAll } from '../archive/plain-sql.ts';
import { collect } from '../base/chunks.ts';
import { parseManifest, type Manifest } from '../backup-directory/manifest.ts';
import {
  formatCopiedManifestName,
  formatGlobalsName,
  parseBackupName,
  type BackupName,
} from '../backup-directory/names.ts';
import { readAccess, type Context } from '../context.ts';
import type { Destination, StoredFile } from './destination.ts';
import { withRetries } from './retry.ts';

/** A backup that lies at a destination. */
export interface Copy extends BackupName, StoredFile {
  readonly from: Destination;
  /** As it was when it was copied; its value is undefined where this version cannot read it. */
  readonly manifest: { readonly text: string; readonly value: Manifest | undefined } | undefined;
  /** The name of the file with the roles of the server, where there is one. */
  readonly globals: string | undefined;
}

/** So many manifests are read at a place, to learn what lies there. */
export const maxRead = 50;

/** A backup that lies at a destination, unread. */
export interface Lying extends BackupName, StoredFile {
  readonly from: Destination;
  /** Everything that lies there. */
  readonly names: ReadonlySet<string>;
}

/** By the times in their names. */
export const newestFirst = (lying: readonly Lying[]): Lying[] =>
  lying.toSorted((a, b) => (a.stamp < b.stamp ? 1 : a.stamp > b.stamp ? -1 : 0));

/**
 * The backups that lie at a destination, in no order.
 * @throws Failure `cannotConnect`, `storage`.
 */
export async function backupsAt({ signal, log }: Context, from: Destination): Promise<Lying[]> {
  const files = await withRetries(signal, log, () => from.list());
  const names = new Set(files.map(({ name }) => name));
  return files.flatMap((file) => {
    const parsed = parseBackupName(file.name);
    return parsed === undefined ? [] : [{ ...file, ...parsed, from, names }];
  });
}

/**
 * Reads what is known of a backup that lies at a destination.
 * @throws Failure `cannotConnect`, `storage`; Locked; `verificationFailed` where its manifest is damaged.
 */
export async function complete(context: Context, { names, ...backup }: Lying): Promise<Copy> {
  const globals = formatGlobalsName(backup);
  return {
    ...backup,
    manifest: await manifestOf(context, backup, names),
    globals: names.has(globals) ? globals : undefined,
  };
}

async function manifestOf(
  context: Context,
  { from, ...backup }: BackupName & Pick<Copy, 'from'>,
  names: ReadonlySet<string>,
): Promise<Copy['manifest']> {
  const name = formatCopiedManifestName(backup);
  if (!names.has(name)) return undefined;
  const { signal, log } = context;
  const bytes = await withRetries(signal, log, () => collect(from.open(name)));
  const text = (await decryptAll(name, bytes, readAccess(context).keys)).toString();
  const value = parseManifest(text);
  return { text, value: typeof value === 'object' ? value : undefined };
}
