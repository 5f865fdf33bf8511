import { join } from 'node:path';
import { applyPlan, planForDirectory } from '../retention/apply.ts';
import { warnOfContents, warnOfLoss } from './warnings.ts';
import { writeArchive, type WriteProgress } from '../archive/writer.ts';
import { verifyDraft } from '../archive/verify-draft.ts';
import type { DumpContents } from '../dump/contents.ts';
import type { Config } from '../config/config.ts';
import { withDeadline } from '../base/deadline.ts';
import { totalRows } from '../base/table-rows.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { formatBytes, formatDuration, formatPlural, psqlCommand } from '../base/format.ts';
import { DroppedMeanwhile } from '../postgres/pg-dump.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { createDraft, discardDraft, publishDraft, sealDraft } from '../backup-directory/draft.ts';
import { ensureDirectory } from '../backup-directory/directory.ts';
import { isWithoutLinks, pointLatest } from '../backup-directory/latest.ts';
import type { Lock } from '../backup-directory/lock.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { formatBackupName, latestName, type Stamp } from '../backup-directory/names.ts';
import { removeLeftovers } from '../backup-directory/remove.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { lockDirectory, type Context } from '../context.ts';
import { notifyFailure, notifySuccess } from './notify.ts';
import type { BackupReport } from './report.ts';
import { describeBackup, openSource } from './source.ts';

export type { WriteProgress };

export interface BackupOptions {
  readonly waitSeconds: number;
  readonly prune: boolean;
  /** How many blocks are compressed at a time. */
  readonly jobs: number;
  readonly onProgress?: (progress: WriteProgress) => void;
}

export type { BackupReport };

/**
 * Makes one backup: dumps, compresses, verifies what is on the disk, publishes it, points `latest`
 * to it, applies retention, tells Slack.
 * @throws Failure of any kind; what is not good is not left behind.
 */
export async function backup(context: Context, options: BackupOptions): Promise<BackupReport> {
  try {
    const report = await makeBackup(context, options);
    await notifySuccess(context, report);
    return report;
  } catch (thrown) {
    const error: unknown = context.signal.aborted ? context.signal.reason : thrown;
    await notifyFailure(context, error);
    throw error;
  }
}

async function makeBackup(context: Context, options: BackupOptions): Promise<BackupReport> {
  const { config } = context;
  if (await ensureDirectory(config.backupDir, config.backupDirIsDefault)) {
    context.log.warn(
      { hint: 'if backups belong elsewhere, set BACKUP_DIR and move this one there' },
      `there was no backup directory: created ${config.backupDir}`,
    );
  }
  await using lock = await lockDirectory(context, 'backup', options.waitSeconds);
  await cleanUp(context);
  const { stamp, manifest, contents } = await withinTimeout(context, (limited) =>
    publishBackup(limited, lock, options).catch(async (error: unknown) => {
      if (!(error instanceof DroppedMeanwhile)) throw error;
      context.log.warn(`${error.message}; trying once more`);
      return publishBackup(limited, lock, options);
    }),
  );
  const name = formatBackupName(stamp);
  context.log.info({ backup: name, manifest }, `backup ${name} is good: ${summarize(manifest)}`);
  const warning = await warn(contents, manifest, context);
  await moveLatest(stamp, context);
  const removed = options.prune ? await removeOld(stamp, context) : [];
  return { name, path: join(config.backupDir, name), manifest, warning, removed };
}

/** Dumps into a draft, verifies what is on the disk, and only then gives it its name. */
async function publishBackup(
  context: Context,
  lock: Lock,
  options: BackupOptions,
): Promise<{ stamp: Stamp; manifest: Manifest; contents: DumpContents }> {
  const { config, signal } = context;
  const source = await openSource(context);
  const draft = await createDraft(config.backupDir, context.now, signal);
  try {
    const expectedBytes = await lastDumpBytes(config);
    const written = await writeArchive(draft, source, { ...options, expectedBytes });
    await sealDraft(draft);
    await verifyDraft(draft, written, signal, options);
    const manifest = describeBackup(source, written, context);
    await lock.assertHeld();
    signal.throwIfAborted();
    await publishDraft(draft, manifest);
    return { stamp: draft.stamp, manifest, contents: written.contents };
  } catch (error) {
    await discardDraft(draft).catch((failure: unknown) =>
      context.log.warn(`${draft.path} is left: ${messageOf(failure)}`),
    );
    signal.throwIfAborted();
    await lock.assertHeld(); // else that is why
    throw error;
  }
}

/** The dump of the last backup of the database: about so large will this one be. */
async function lastDumpBytes({ backupDir, connection }: Config): Promise<number | undefined> {
  const manifests = (await listBackups(backupDir)).map(({ manifest }) => manifest);
  return manifests.findLast((manifest) => manifest?.database.name === connection.database)
    ?.dumpBytes;
}

function summarize(manifest: Manifest): string {
  return [
    formatPlural(manifest.tables.length, 'table'),
    formatPlural(totalRows(manifest.tables), 'row'),
    `${formatBytes(manifest.dumpBytes)} → ${formatBytes(manifest.fileBytes)}`,
    formatDuration(manifest.durationMs),
  ].join(', ');
}

/** @returns what was said, for whoever else is told. */
async function warn(
  contents: DumpContents,
  manifest: Manifest,
  { config, log }: Context,
): Promise<string | undefined> {
  const losses = await warnOfLoss(manifest, config.backupDir);
  const warnings = [...warnOfContents(contents), ...losses];
  for (const { message, hint } of warnings) log.warn({ hint }, message);
  if (losses.length === 0 && manifest.tables.length === 0) {
    const { name } = manifest.database;
    log.warn(
      {
        hint: `is it the right one (${config.databaseSource})? see \`${psqlCommand(config.connection)} --list\``,
      },
      `database "${name}" has no tables: this backup holds nothing`,
    );
  }
  return warnings.length === 0 ? undefined : warnings.map(({ message }) => message).join('; ');
}

/** What a run that was killed has left is removed by the next one. */
async function cleanUp({ config, log }: Context): Promise<void> {
  const removed = await removeLeftovers(config.backupDir);
  for (const name of removed) {
    log.warn(`removed ${name}, left by a run that was interrupted`);
  }
}

/** Where the file system knows no links, the newest good backup is found without. */
async function moveLatest(stamp: Stamp, { config, log }: Context): Promise<void> {
  try {
    const aside = await pointLatest(config.backupDir, stamp);
    if (aside !== undefined) log.warn(`${latestName} was not a link; it is now ${aside}`);
  } catch (error) {
    if (!isWithoutLinks(error)) {
      throw storageFailure(
        `point ${latestName} to the new backup (${formatBackupName(stamp)} itself is safe)`,
        error,
      );
    }
    log.warn(
      {
        hint: 'nothing is lost: every command takes the newest good backup where there is no link',
      },
      `the file system of ${config.backupDir} has no symbolic links: there is no ${latestName}`,
    );
  }
}

async function removeOld(verified: Stamp, context: Context): Promise<string[]> {
  const { config, log, signal } = context;
  const removed: string[] = [];
  try {
    const plan = await planForDirectory(config.backupDir, {
      policy: config.retention,
      now: context.now(),
      signal,
      verified,
    });
    await applyPlan(config.backupDir, plan, signal, ({ backup: { name }, reason }) => {
      log.info(`removed ${name}: ${reason}`);
      removed.push(name);
    });
    return removed;
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure(
      'incomplete',
      `the backup is safe, but old backups could not be removed: ${messageOf(error)}`,
      { hint: 'correct it, then run `pratiko-backup prune`', cause: error },
    );
  }
}

/** Only until it is published: what comes after does not make it worse. */
async function withinTimeout<Result>(
  context: Context,
  work: (limited: Context) => Promise<Result>,
): Promise<Result> {
  const seconds = context.config.backupTimeoutSeconds;
  if (seconds === undefined) return work(context);
  const expire = () =>
    new Failure('dumpFailed', `the backup took longer than ${seconds} s (BACKUP_TIMEOUT)`, {
      hint: 'see what the server is busy with, or raise BACKUP_TIMEOUT; no file was left',
    });
  return withDeadline(context.signal, seconds * 1000, expire, (signal) =>
    work({ ...context, signal }),
  );
}
