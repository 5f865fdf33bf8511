import { totalRows } from '../base/table-rows.ts';
import { formatBytes, formatDuration, formatPlural } from '../base/format.ts';
import { ensureDirectory } from '../backup-directory/directory.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { lockDirectory, type Context } from '../context.ts';
import type { Heartbeat } from '../notify/heartbeat.ts';
import { followUp, type FollowUpOptions } from './follow-up.ts';
import { recordFailure, recordRun } from './history.ts';
import { runBefore } from './hooks.ts';
import { heartbeatOf, notifyFailure, notifySuccess } from './notify.ts';
import { orLost } from './lost-database.ts';
import { publishBackup, type PublishOptions } from './publish.ts';
import type { BackupReport } from './report.ts';
import { cleanUp } from './tidy.ts';
import { untilUnchanged } from './until-unchanged.ts';
import { withinTimeout } from './within-timeout.ts';

export interface BackupOptions extends PublishOptions, FollowUpOptions {
  readonly waitSeconds: number;
}

/**
 * Makes one backup: dumps, compresses, encrypts, verifies what is on the disk, publishes it, does what follows
 * (see `followUp`), tells who wants to know.
 * @throws Failure of any kind; what is not good is not left behind.
 */
export async function backup(context: Context, options: BackupOptions): Promise<BackupReport> {
  const heartbeat = heartbeatOf(context);
  try {
    const report = await makeBackup(context, options, heartbeat);
    await recordRun(context, { outcome: 'done', backup: report.name });
    await notifySuccess(context, report, heartbeat);
    return report;
  } catch (thrown) {
    const error: unknown = context.signal.aborted
      ? context.signal.reason
      : await orLost(thrown, context);
    await recordFailure(context, error);
    await notifyFailure(context, error, heartbeat);
    throw error;
  }
}

async function makeBackup(
  context: Context,
  options: BackupOptions,
  heartbeat: Heartbeat | undefined,
): Promise<BackupReport> {
  const { config } = context;
  if (await ensureDirectory(config.backupDir, config.backupDirIsDefault)) {
    context.log.warn(
      { hint: 'if backups belong elsewhere, set BACKUP_DIR and move this one there' },
      `there was no backup directory: created ${config.backupDir}`,
    );
  }
  await using lock = await lockDirectory(context, 'backup', options.waitSeconds);
  heartbeat?.begin();
  await cleanUp(context);
  await recordRun(context, { outcome: 'started' });
  const published = await withinTimeout(context, 'the backup', async (limited) => {
    await runBefore(limited);
    return untilUnchanged(limited, () => publishBackup(limited, lock, options));
  });
  const { name, manifest } = published;
  context.log.info({ backup: name, manifest }, `backup ${name} is good: ${summarize(manifest)}`);
  return await followUp(context, published, options);
}

function summarize(manifest: Manifest): string {
  return [
    formatPlural(manifest.tables.length, 'table'),
    formatPlural(totalRows(manifest.tables), 'row'),
    `${formatBytes(manifest.dumpBytes)} → ${formatBytes(manifest.fileBytes)}`,
    formatDuration(manifest.durationMs),
    ...(manifest.leftOut === undefined
      ? []
      : [`without the rows of ${formatPlural(manifest.leftOut.tables.length, 'table')}`]),
    ...(manifest.keep ? ['to be kept'] : []),
    ...(manifest.label === undefined ? [] : [`"${manifest.label}"`]),
  ].join(', ');
}
