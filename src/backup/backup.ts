import { join } from 'node:path';
import type { WriteProgress } from '../archive/writer.ts';
import { totalRows } from '../base/table-rows.ts';
import { formatBytes, formatDuration, formatPlural } from '../base/format.ts';
import { DroppedMeanwhile } from '../postgres/pg-dump.ts';
import { ensureDirectory } from '../backup-directory/directory.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { formatBackupName, latestName } from '../backup-directory/names.ts';
import { lockDirectory, type Context } from '../context.ts';
import { LaterSteps } from './later-steps.ts';
import { storeGlobals } from './globals.ts';
import { recordFailure, recordRun } from './history.ts';
import { moveLatest } from './latest.ts';
import { notifyFailure, notifySuccess } from './notify.ts';
import { publishBackup, type PublishOptions } from './publish.ts';
import type { BackupReport } from './report.ts';
import { cleanUp, removeOld } from './tidy.ts';
import { warn } from './warnings.ts';
import { withinTimeout } from './within-timeout.ts';

export type { WriteProgress };

export interface BackupOptions extends PublishOptions {
  readonly waitSeconds: number;
  readonly prune: boolean;
  /** Restores it and compares what arrives; undefined: that is not wanted. */
  readonly drill: ((context: Context, name: string) => Promise<void>) | undefined;
}

/**
 * Makes one backup: dumps, compresses, verifies what is on the disk, publishes it, points `latest`
 * to it, stores the roles of the server and restores it to prove it where that is wanted, applies retention, tells Slack.
 * @throws Failure of any kind; what is not good is not left behind.
 */
export async function backup(context: Context, options: BackupOptions): Promise<BackupReport> {
  try {
    const report = await makeBackup(context, options);
    await recordRun(context, { outcome: 'done', backup: report.name });
    await notifySuccess(context, report);
    return report;
  } catch (thrown) {
    const error: unknown = context.signal.aborted ? context.signal.reason : thrown;
    await recordFailure(context, error);
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
  await recordRun(context, { outcome: 'started' });
  const { stamp, manifest, contents } = await withinTimeout(context, (limited) =>
    publishBackup(limited, lock, options).catch(async (error: unknown) => {
      if (!(error instanceof DroppedMeanwhile)) throw error;
      context.log.warn(`${error.message}; trying once more`);
      return publishBackup(limited, lock, options);
    }),
  );
  const name = formatBackupName(stamp);
  context.log.info({ backup: name, manifest }, `backup ${name} is good: ${summarize(manifest)}`);
  const later = new LaterSteps(context.signal);
  const warning = await later.try(
    'it could not be compared with older ones',
    'correct it: what was lost since is told then',
    () => warn(contents, manifest, context),
  );
  await later.try(
    `${latestName} does not lead to it`,
    'the next backup tries again; until then give the name of this one',
    () => moveLatest(stamp, context),
  );
  await later.try(
    'the roles of the server are not stored beside it',
    'correct it: the next backup stores them',
    async () => (config.backupGlobals ? storeGlobals(context, stamp) : undefined),
  );
  await later.try(
    'it is not proven that it can be restored',
    'try again with `pratiko-backup verify --restore`',
    async () => options.drill?.(context, name),
  );
  const removed = await later.try(
    'old backups could not be removed',
    'correct it, then run `pratiko-backup prune`',
    async () => (options.prune ? removeOld(stamp, context) : []),
  );
  later.requireAll(name, warning);
  return { name, path: join(config.backupDir, name), manifest, warning, removed: removed ?? [] };
}

function summarize(manifest: Manifest): string {
  return [
    formatPlural(manifest.tables.length, 'table'),
    formatPlural(totalRows(manifest.tables), 'row'),
    `${formatBytes(manifest.dumpBytes)} → ${formatBytes(manifest.fileBytes)}`,
    formatDuration(manifest.durationMs),
  ].join(', ');
}
