import { decryptAll } from '../archive/plain-sql.ts';
import { collect } from '../base/chunks.ts';
import { isCopyUrl, isPlace } from '../config/values.ts';
import { Failure } from '../base/errors.ts';
import { parseManifest, type Manifest } from '../backup-directory/manifest.ts';
import { stampBeginning } from '../backup-directory/locate.ts';
import {
  formatCopiedManifestName,
  formatGlobalsName,
  parseBackupName,
  type BackupName,
} from '../backup-directory/names.ts';
import { readAccess, type Context } from '../context.ts';
import { Locked } from '../encryption/locked.ts';
import type { Destination, StoredFile } from './destination.ts';
import { openDestination } from './open-destination.ts';
import { withRetries } from './retry.ts';

/** A backup that lies at a destination. */
export interface Copy extends BackupName, StoredFile {
  readonly from: Destination;
  /** As it was when it was copied; its value is undefined where this version cannot read it. */
  readonly manifest: { readonly text: string; readonly value: Manifest | undefined } | undefined;
  /** The name of the file with the roles of the server, where there is one. */
  readonly globals: string | undefined;
}

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

/** A backup that lies at a destination, unread. */
interface Lying extends BackupName, StoredFile {
  readonly from: Destination;
  /** Everything that lies there. */
  readonly names: ReadonlySet<string>;
}

async function backupsAt({ signal, log }: Context, from: Destination): Promise<Lying[]> {
  const files = await withRetries(signal, log, () => from.list());
  const names = new Set(files.map(({ name }) => name));
  return files.flatMap((file) => {
    const parsed = parseBackupName(file.name);
    return parsed === undefined ? [] : [{ ...file, ...parsed, from, names }];
  });
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
  const { urls } = config.offsite;
  if (urls.length > 0) return { urls, name: called === 'latest' ? undefined : called };
  throw new Failure('usage', 'OFFSITE_URL is not set: there is no place to fetch from', {
    hint: 'set it in .env, or give the whole URL of the backup',
  });
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

/** So many manifests are read to find a backup of the database. */
const maxRead = 50;

async function newestGood(context: Context, lying: readonly Lying[]): Promise<Copy | undefined> {
  const newestFirst = lying.toSorted((a, b) =>
    a.stamp < b.stamp ? 1 : a.stamp > b.stamp ? -1 : 0,
  );
  let other: Copy | undefined;
  let unknown: Copy | undefined;
  let failure: Failure | undefined;
  for (const backup of newestFirst.slice(0, maxRead)) {
    try {
      const copy = await complete(context, backup);
      const value = copy.manifest?.value;
      if (value?.fileBytes === copy.bytes) {
        if (value.database.name === context.config.connection.database) return copy;
        other ??= copy;
      } else if (value === undefined) unknown ??= copy;
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      failure ??= error;
      if (!(error instanceof Locked))
        context.log.warn(`${backup.name} is passed over: ${error.message}`);
    }
  }
  if (other !== undefined) {
    context.log.warn('there is no copy of this database: taking the newest of another');
  } else if (unknown !== undefined) {
    context.log.warn('no manifest tells which backup is good: taking the newest');
  } else if (failure !== undefined) throw failure;
  return other ?? unknown;
}

async function complete(context: Context, { names, ...backup }: Lying): Promise<Copy> {
  const globals = formatGlobalsName(backup);
  return {
    ...backup,
    manifest: await manifestOf(context, backup, names),
    globals: names.has(globals) ? globals : undefined,
  };
}

function isCalled({ stamp }: BackupName, called: string): boolean {
  const beginning = stampBeginning(called);
  return beginning !== undefined && stamp.startsWith(beginning);
}

const ambiguous = (called: string, names: readonly string[]) =>
  new Failure('noSuchBackup', `${names.length} copies begin with ${called}`, {
    hint: `give the whole name: ${names.slice(0, 5).join(', ')}`,
  });

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
