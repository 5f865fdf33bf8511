import { join } from 'node:path';
import { formatLatestName, recoveryPageName } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import { copyMissing } from '../copies/copy.ts';
import { requireAllCopied } from '../copies/report.ts';
import { pruneCopies } from '../copies/prune.ts';
import { storeGlobals } from './globals.ts';
import { runAfter } from './hooks.ts';
import { LaterSteps } from './later-steps.ts';
import { moveLatest } from './latest.ts';
import type { Published } from './publish.ts';
import { describeRecovery } from './recovery-page.ts';
import { doneIn, type BackupReport } from './report.ts';
import { removeOld } from './tidy.ts';
import { warn } from './warnings.ts';

export interface FollowUpOptions {
  readonly prune: boolean;
  /** Restores it and compares what arrives; undefined: that is not wanted. */
  readonly drill: ((context: Context, name: string) => Promise<void>) | undefined;
}

/**
 * Does what comes after a backup has its name: compares it with older ones, points `latest` to it, stores the
 * roles of the server, writes down how to restore it without this program, proves that it can be restored, applies retention, copies it elsewhere,
 * applies retention there, and runs AFTER_BACKUP. None of it makes the backup worse.
 * @throws IncompleteBackup where a step failed; all others were done.
 */
export async function followUp(
  context: Context,
  published: Published,
  options: FollowUpOptions,
): Promise<BackupReport> {
  const { config } = context;
  const { name, manifest } = published;
  const later = new LaterSteps(context.signal);
  const warning = await later.try(
    'it could not be compared with older ones',
    'correct it: what was lost since is told then',
    () => warn(published, join(config.backupDir, name), context),
  );
  await later.try(
    `${formatLatestName(published.encryption)} does not lead to it`,
    'the next backup tries again; until then give the name of this one',
    () => moveLatest(published, context),
  );
  await later.try(
    'the roles of the server are not stored beside it',
    'correct it: the next backup stores them',
    async () => (config.backupGlobals ? storeGlobals(context, published) : undefined),
  );
  await later.try(
    `${recoveryPageName} does not tell how to restore it`,
    'correct it: the next backup tries again',
    () => describeRecovery(context, published),
  );
  await later.try(
    'it is not proven that it can be restored',
    'try again with `pratiko-backup verify --restore`',
    async () => options.drill?.(context, name),
  );
  const removed = await later.try(
    'old backups could not be removed',
    'correct it, then run `pratiko-backup prune`',
    async () => (options.prune ? removeOld(name, context) : []),
  );
  const isCopied = await later.try(
    'it is not copied everywhere',
    'the next backup tries again, and `pratiko-backup copy` now',
    async () => {
      if (config.offsite.urls.length === 0) return true;
      requireAllCopied(await copyMissing(context));
      return true;
    },
  );
  await later.try(
    'old copies could not be removed',
    'the next backup tries again, and `pratiko-backup prune` now',
    async () => {
      if (!isCopied || !options.prune) return;
      const { failure } = await pruneCopies(context, { dryRun: false });
      if (failure !== undefined) throw failure;
    },
  );
  await later.try('what comes after it was not done', 'the backup itself is good', () =>
    runAfter(context, published),
  );
  const path = join(config.backupDir, name);
  const report = { name, path, manifest, warning, removed: removed ?? [] };
  later.requireAll(name, warning, doneIn(report));
  return report;
}
