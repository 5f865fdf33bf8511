import { isCopyUrl, isPlace } from '../config/values.ts';
import { Failure } from '../base/errors.ts';
import { formatNames } from '../base/format.ts';
import { stampBeginning } from '../backup-directory/locate.ts';
import { parseBackupName, type BackupName } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import { Locked } from '../encryption/locked.ts';
import { openDestination } from './open-destination.ts';
import {
  backupsAt,
  complete,
  maxRead,
  newestFirst,
  type Copy,
  type Lying,
} from './stored-backup.ts';
import { requirePlaces } from './require-places.ts';

/**
 * Finds a copy.
 * @param called a name, a timestamp or its beginning, or a URL; undefined, or `latest`: the newest good one of the
 *   database, wherever it is.
 * @param except places that are not asked.
 * @throws Failure `usage`, `noSuchBackup`, `cannotConnect`, `storage`; Locked where no key opens its manifest.
 */
export async function chooseCopy(
  context: Context,
  called: string | undefined,
  except: ReadonlySet<string>,
): Promise<Copy> {
  const places = placesOf(context, called);
  const { name } = places;
  const urls = places.urls.filter((url) => !except.has(url));
  const lying: Lying[] = [];
  let failure: Failure | undefined;
  for (const url of urls) {
    try {
      lying.push(...(await backupsAt(context, openDestination(url, context))));
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      failure = error;
      if (urls.length > 1) context.log.warn({ hint: error.hint }, error.message);
    }
  }
  const found =
    name === undefined ? await newestGood(context, lying) : await copyCalled(context, lying, name);
  if (found !== undefined) return found;
  if (failure !== undefined) throw failure;
  throw new Failure(
    'noSuchBackup',
    `there is no backup ${name === undefined ? '' : `${name} `}at ${urls.join(', ')}`,
    { hint: 'check the URL; `pratiko-backup list --offsite` shows what is there' },
  );
}

function placesOf(
  { config }: Context,
  called: string | undefined,
): { readonly urls: readonly string[]; readonly name: string | undefined } {
  if (called !== undefined && isCopyUrl(called)) {
    const [, url = '', name = ''] = /^(.*?)\/?([^/:]*)$/.exec(called) ?? [];
    if (isPlace(url) && parseBackupName(name) !== undefined) return { urls: [url], name };
    throw new Failure('usage', 'that is not the URL of a backup', {
      hint: 'it ends with the name of a backup: s3://bucket/prefix/pratiko_backup_20251129_020000.sql.gz',
    });
  }
  const urls = requirePlaces(config, '; or give the whole URL of the backup');
  return { urls, name: called === 'latest' ? undefined : called };
}

async function copyCalled(
  context: Context,
  lying: readonly Lying[],
  called: string,
): Promise<Copy | undefined> {
  const exact = lying.filter(({ name }) => name === called);
  const found = exact.length > 0 ? exact : lying.filter((backup) => isCalled(backup, called));
  const names = new Set(found.map(({ name }) => name));
  if (names.size > 1) throw ambiguous(called, [...names]);
  return found[0] && complete(context, found[0]);
}

async function newestGood(context: Context, lying: readonly Lying[]): Promise<Copy | undefined> {
  let other: Copy | undefined;
  let unknown: Copy | undefined;
  let failure: Failure | undefined;
  let locked: { readonly name: string; readonly error: Locked } | undefined;
  for (const backup of newestFirst(lying).slice(0, maxRead)) {
    const copy = await complete(context, backup).catch((error: unknown) => {
      context.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      failure ??= error;
      if (error instanceof Locked) locked ??= { name: backup.name, error };
      else context.log.warn(`${backup.name} is passed over: ${error.message}`);
      return undefined;
    });
    if (copy === undefined) continue;
    const value = copy.manifest?.value;
    if (value === undefined) unknown ??= copy;
    else if (value.fileBytes === copy.bytes) {
      if (locked !== undefined) throw newerIsLocked(locked, copy.name);
      if (value.database.name === context.config.connection.database) return copy;
      other ??= copy;
    }
  }
  if (other !== undefined) {
    context.log.warn('there is no copy of this database: taking the newest of another');
  } else if (unknown !== undefined) {
    if (locked !== undefined) throw newerIsLocked(locked, unknown.name);
    context.log.warn('no manifest tells which backup is good: taking the newest');
  } else if (failure !== undefined) throw failure;
  return other ?? unknown;
}

/** An older one that lies there unencrypted is not what a person means by the newest. */
const newerIsLocked = ({ name, error }: { name: string; error: Locked }, older: string) =>
  new Failure('usage', `the newest copy, ${name}, cannot be opened: ${error.clause}`, {
    hint: `${error.hint}; or take the older one: \`pratiko-backup restore --from-offsite ${older}\``,
    cause: error,
  });

function isCalled({ stamp }: BackupName, called: string): boolean {
  const beginning = stampBeginning(called);
  return beginning !== undefined && stamp.startsWith(beginning);
}

const ambiguous = (called: string, names: readonly string[]) =>
  new Failure('noSuchBackup', `${names.length} copies begin with ${called}`, {
    hint: `give the whole name: ${formatNames([...names].sort().reverse(), 5)}`,
  });
