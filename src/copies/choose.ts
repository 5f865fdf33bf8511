import { decryptAll } from '../archive/plain-sql.ts';
import { Failure, type FailureKind } from '../base/errors.ts';
import { parseManifest, type Manifest } from '../backup-directory/manifest.ts';
import { stampBeginning } from '../backup-directory/locate.ts';
import { formatGlobalsName, parseBackupName, type BackupName } from '../backup-directory/names.ts';
import { readAccess, type Context } from '../context.ts';
import { copiedManifestName } from './backup-files.ts';
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

/** Whether that is the URL of a copy, not the path of a file. */
export const isCopyUrl = (text: string): boolean => /^(?:s3|file|rclone):/.test(text);

/**
 * Finds a copy.
 * @param called a name, a timestamp or its beginning, or a URL; undefined: the newest good one of the database.
 * @throws Failure `usage`, `noSuchBackup`, `cannotConnect`; Locked where no key opens its manifest.
 */
export async function chooseCopy(context: Context, called: string | undefined): Promise<Copy> {
  const { urls, name } = placesOf(context, called);
  let failure: Failure | undefined;
  for (const url of urls) {
    const from = openDestination(url, context);
    try {
      const files = await withRetries(context.signal, context.log, () => from.list());
      const found = await chooseAmong(context, from, files, name);
      if (found !== undefined) return found;
    } catch (error) {
      context.signal.throwIfAborted();
      const isOfPlace = error instanceof Failure && ofPlaces.includes(error.kind);
      if (!isOfPlace || url === urls.at(-1)) throw error;
      context.log.warn({ hint: error.hint }, `${error.message}; trying the next place`);
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new Failure(
    'noSuchBackup',
    name === undefined
      ? `there is no backup at ${urls.join(', ')}`
      : `there is no backup ${name} at ${urls.join(', ')}`,
    { hint: 'check the URL; `pratiko-backup list --offsite` shows what is there' },
  );
}

/** What another place may do better. */
const ofPlaces: readonly FailureKind[] = ['cannotConnect', 'storage', 'toolMissing'];

function placesOf(
  { config }: Context,
  called: string | undefined,
): { readonly urls: readonly string[]; readonly name: string | undefined } {
  if (called !== undefined && isCopyUrl(called)) {
    const [, url = '', name = ''] = /^(.*?)\/?([^/:]*)$/.exec(called) ?? [];
    if (parseBackupName(name) !== undefined) return { urls: [url], name };
    throw new Failure('usage', `${called} is not the URL of a backup`, {
      hint: 'it ends with the name of a backup: s3://bucket/prefix/pratiko_backup_20251129_020000.sql.gz',
    });
  }
  const { urls } = config.offsite;
  if (urls.length > 0) return { urls, name: called };
  throw new Failure('usage', 'OFFSITE_URL is not set: there is no place to fetch from', {
    hint: 'set it in .env, or give the whole URL of the backup',
  });
}

/** The copy of a name, or the newest good one; undefined where there is none. */
async function chooseAmong(
  context: Context,
  from: Destination,
  files: readonly StoredFile[],
  called: string | undefined,
): Promise<Copy | undefined> {
  const names = new Set(files.map(({ name }) => name));
  const backups = files
    .flatMap((file) => {
      const parsed = parseBackupName(file.name);
      return parsed === undefined ? [] : [{ ...file, ...parsed }];
    })
    .sort((a, b) => (a.stamp < b.stamp ? 1 : -1));
  const complete = async (backup: (typeof backups)[number]): Promise<Copy> => {
    const globals = formatGlobalsName(backup);
    return {
      ...backup,
      from,
      manifest: await manifestOf(context, from, backup, names),
      globals: names.has(globals) ? globals : undefined,
    };
  };
  if (called !== undefined) {
    const wanted = backups.filter((backup) => isCalled(backup, called));
    if (wanted.length > 1) throw ambiguous(called, wanted);
    return wanted[0] && complete(wanted[0]);
  }
  let other: Copy | undefined;
  for (const backup of backups) {
    const copy = await complete(backup);
    const value = copy.manifest?.value;
    const isGood = value?.fileBytes === copy.bytes;
    if (isGood && value.database.name === context.config.connection.database) return copy;
    if (isGood) other ??= copy;
  }
  const taken = other ?? (backups[0] && (await complete(backups[0])));
  if (taken !== undefined) {
    context.log.warn(
      other === undefined
        ? `no manifest tells which backup at ${from.url} is good: taking the newest`
        : `there is no backup of this database at ${from.url}: taking the newest of another`,
    );
  }
  return taken;
}

function isCalled({ name, stamp }: StoredFile & BackupName, called: string): boolean {
  const beginning = stampBeginning(called);
  return name === called || (beginning !== undefined && stamp.startsWith(beginning));
}

const ambiguous = (called: string, found: readonly StoredFile[]) =>
  new Failure('noSuchBackup', `${found.length} copies begin with ${called}`, {
    hint: `give the whole name: ${found
      .map(({ name }) => name)
      .slice(0, 5)
      .join(', ')}`,
  });

async function manifestOf(
  context: Context,
  from: Destination,
  backup: BackupName,
  names: ReadonlySet<string>,
): Promise<Copy['manifest']> {
  const name = copiedManifestName(backup);
  if (!names.has(name)) return undefined;
  const bytes = await withRetries(context.signal, context.log, async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of from.open(name)) chunks.push(chunk);
    return Buffer.concat(chunks);
  });
  const text = (await decryptAll(name, bytes, readAccess(context).keys)).toString();
  const value = parseManifest(text);
  return { text, value: typeof value === 'object' ? value : undefined };
}
