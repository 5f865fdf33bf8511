import { totalRows } from '../base/table-rows.ts';
import { serverLabel } from '../config/place.ts';
import { notify } from '../notify/notify.ts';
import { failureOutcome, type BackupOutcome } from '../notify/outcome.ts';
import type { Context } from '../context.ts';
import { IncompleteBackup } from './later-steps.ts';
import type { BackupReport } from './report.ts';

/** Tells who is told of backups that one was made. */
export const notifySuccess = (context: Context, report: BackupReport) =>
  notify(context.config, context.log, successOutcome(context, report));

/** Tells who is told of backups that one failed. */
export function notifyFailure({ config, log }: Context, error: unknown): Promise<void> {
  const warning = error instanceof IncompleteBackup ? error.warning : undefined;
  return notify(config, log, failureOutcome(databaseLabel(config), error, warning));
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

const databaseLabel = ({ connection }: Context['config']) =>
  `${connection.database} on ${serverLabel(connection)}`;
