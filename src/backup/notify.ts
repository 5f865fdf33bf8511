import { totalRows } from '../base/table-rows.ts';
import { failureOutcome, isFine, type BackupOutcome } from '../notify/outcome.ts';
import { notifySlack } from '../notify/slack.ts';
import type { Context } from '../context.ts';
import type { BackupReport } from './report.ts';

/** Tells who is told of backups that one was made. */
export const notifySuccess = (context: Context, report: BackupReport) =>
  tell(context, successOutcome(context, report));

/** Tells who is told of backups that one failed. */
export const notifyFailure = (context: Context, error: unknown) =>
  tell(context, failureOutcome(databaseLabel(context.config), error));

/** Tells Slack, where that is wanted; that it does not answer changes nothing. */
async function tell({ config, log }: Context, outcome: BackupOutcome): Promise<void> {
  const { slack } = config;
  if (slack === undefined) return;
  if (slack.notify === 'failure' && isFine(outcome)) return;
  const problem = await notifySlack(slack.url, outcome, config.proxies);
  if (problem !== undefined) log.warn(`Slack was not told: ${problem}`);
}

function successOutcome(
  { config }: Context,
  { name, manifest, warning, removed }: BackupReport,
): BackupOutcome {
  return {
    outcome: 'success',
    database: databaseLabel(config),
    file: name,
    bytes: manifest.fileBytes,
    tables: manifest.tables.length,
    rows: totalRows(manifest.tables),
    durationMs: manifest.durationMs,
    removed: removed.length,
    warning,
  };
}

const databaseLabel = ({ connection: { database, host, port } }: Context['config']) =>
  `${database} on ${host}:${port}`;
