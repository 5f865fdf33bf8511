import { withDeadline } from '../base/deadline.ts';
import { Failure } from '../base/errors.ts';
import { formatBytes } from '../base/format.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { missingAt, type KnownBackup } from '../backup-directory/copied.ts';
import { readHistory, recordEvent } from '../backup-directory/history.ts';
import type { CopyEvent } from '../backup-directory/history-event.ts';
import { gpgFor, type Context } from '../context.ts';
import { openEncrypter, type Encrypter } from '../encryption/keys.ts';
import { filesOf } from './backup-files.ts';
import type { Destination } from './destination.ts';
import { openDestination } from './open-destination.ts';
import type { Copied, CopyReport } from './report.ts';
import { filesElsewhere } from './files-elsewhere.ts';
import { storeRecoveryPage } from './recovery-page.ts';
import { store } from './store.ts';

/**
 * Copies every good backup that is not there yet to each place of OFFSITE_URL, oldest first, and confirms it. A place
 * that fails does not keep the others from being served.
 * @throws Failure `usage` where the encryption is not set up right; `storage` where the backups cannot be read.
 */
export async function copyMissing(context: Context): Promise<CopyReport> {
  const { offsite, keys } = context.config;
  const encrypter = await openEncrypter(keys, gpgFor(context));
  const reports: CopyReport[] = [];
  const copyAll = async (signal: AbortSignal) => {
    for (const url of offsite.urls) reports.push(await copyTo(url, context, encrypter, signal));
  };
  await (offsite.timeoutSeconds === undefined
    ? copyAll(context.signal)
    : withDeadline(context.signal, offsite.timeoutSeconds * 1000, expired(context), copyAll));
  return {
    copied: reports.flatMap(({ copied }) => copied),
    failed: reports.flatMap(({ failed }) => failed),
  };
}

/** @param signal ends the copying where it takes too long; that of the context ends everything. */
async function copyTo(
  url: string,
  context: Context,
  encrypter: Encrypter | undefined,
  signal: AbortSignal,
): Promise<CopyReport> {
  const limited = { ...context, signal };
  const copied: Copied[] = [];
  const failed: CopyReport['failed'][number][] = [];
  const noteFailed = async (error: unknown, backup?: string) => {
    context.signal.throwIfAborted();
    failed.push(await recordFailed(context, url, backup, error));
  };
  try {
    const destination = openDestination(url, limited);
    const { missing, there } = await missingFrom(limited, destination);
    for (const backup of missing) {
      try {
        const isThere = there.has(backup.name);
        await copyOne(limited, destination, backup, { encrypter, isThere });
        copied.push({ backup: backup.name, to: url, bytes: backup.bytes });
      } catch (error) {
        await noteFailed(error, backup.name);
        // What is wrong with one backup does not keep the next from being copied.
        if (!isOfFile(error)) break;
      }
    }
    const arrived = copied.map(({ backup }) => backup);
    await storeRecoveryPage(limited, destination, { there, arrived });
  } catch (error) {
    await noteFailed(error);
  }
  return { copied, failed };
}

const isOfFile = (error: unknown) =>
  error instanceof Failure && error.kind === 'verificationFailed';

const expired =
  ({ config: { offsite } }: Context) =>
  () =>
    new Failure(
      'incomplete',
      `it took longer than ${offsite.timeoutSeconds ?? 0} s (OFFSITE_TIMEOUT)`,
      {
        hint: 'the next run copies what is missing; raise OFFSITE_TIMEOUT if one backup takes longer than that',
      },
    );

/** Backups that one place does not have, and the names that it has. */
async function missingFrom(
  context: Context,
  destination: Destination,
): Promise<{ readonly missing: KnownBackup[]; readonly there: ReadonlySet<string> }> {
  const { backupDir, offsite } = context.config;
  const files = await filesElsewhere(context, destination);
  // What expires there by itself is not missing.
  const there = offsite.prune ? new Map(files.map(({ name, bytes }) => [name, bytes])) : undefined;
  const place = { url: destination.url, history: await readHistory(backupDir), there };
  return {
    missing: missingAt(place, await listBackups(backupDir)),
    there: new Set(files.map(({ name }) => name)),
  };
}

interface CopyOneOptions {
  readonly encrypter: Encrypter | undefined;
  /** A file of its name is there: what belongs to that is not touched. */
  readonly isThere: boolean;
}

async function copyOne(
  context: Context,
  destination: Destination,
  backup: KnownBackup,
  { encrypter, isThere }: CopyOneOptions,
): Promise<void> {
  const { log, config, now } = context;
  const all = await filesOf(backup, encrypter, context.signal);
  const files = isThere ? all.filter(({ name }) => name === backup.name) : all;
  if (!isThere && backup.encryption !== undefined && backup.encryption !== encrypter?.encryption) {
    log.warn(
      { hint: `set its public key (BACKUP_${backup.encryption.toUpperCase()}_RECIPIENT)` },
      `${backup.name} is copied without its manifest: there is no key here to encrypt that`,
    );
  }
  if (!isThere && backup.encryption === undefined && encrypter !== undefined) {
    log.warn(`${backup.name} was made without encryption, and is copied as it is`);
  }
  for (const file of files) {
    await store(context, destination, file, { isRepeatable: file.name !== backup.name });
  }
  const { url: to } = destination;
  log.info(`copied ${backup.name} to ${to}: ${formatBytes(backup.bytes)}, confirmed`);
  const event: CopyEvent = {
    at: now().toISOString(),
    event: 'copy',
    outcome: 'done',
    to,
    backup: backup.name,
    bytes: backup.bytes,
    sha256: backup.manifest.sha256,
    database: backup.manifest.database.name,
    madeAt: backup.madeAt.toISOString(),
    ...(backup.manifest.keep && { keep: true }),
  };
  await recordEvent(config.backupDir, event, log);
}

async function recordFailed(
  { config, log, now }: Context,
  to: string,
  backup: string | undefined,
  error: unknown,
): Promise<CopyReport['failed'][number]> {
  if (!(error instanceof Failure)) throw error;
  const { message, hint } = error;
  const at = now().toISOString();
  const event: CopyEvent = { at, event: 'copy', outcome: 'failed', to, message, hint };
  await recordEvent(config.backupDir, backup === undefined ? event : { ...event, backup }, log);
  return { to, backup, message, hint };
}
