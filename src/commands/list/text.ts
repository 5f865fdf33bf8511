import { formatBytes, formatPlural } from '../../base/format.ts';
import { describeKept, describeRescued } from '../../cli/kept-database.ts';
import { describeTrend } from '../../cli/trend.ts';
import type { Config } from '../../config/config.ts';
import { serverLabel } from '../../config/place.ts';
import type { KeptDatabases } from '../../inspect/kept-databases.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';
import { describeBackups } from './backups-table.ts';
import { describeLooks } from './looks.ts';

/** What is known of databases that restores have left; null where the server could not be asked. */
type Kept = { readonly [Key in keyof KeptDatabases]: KeptDatabases[Key] | null };

/**
 * @param backups newest first.
 * @param width columns of the terminal; undefined where there is none.
 */
export function describeList(
  backups: readonly ListedBackup[],
  { previous, rescued }: Kept,
  { backupDir, backupDirIsDefault, connection, offsite }: Config,
  width?: number,
): string {
  const where = serverLabel(connection);
  const bytes = backups.reduce((sum, backup) => sum + backup.bytes, 0);
  const files =
    backups.length === 0
      ? [
          `no backups in ${backupDir}${backupDirIsDefault ? ' (set BACKUP_DIR or --backup-dir to look elsewhere)' : ''}`,
        ]
      : [
          describeBackups(backups, offsite.urls.length, width),
          `${formatPlural(backups.length, 'backup')}, ${formatBytes(bytes)} in ${backupDir}`,
          ...describeLooks(backups),
          ...trendsOf(backups),
        ];
  return [
    ...files,
    ...(previous ?? []).map((database) => describeKept(database, where)),
    ...(rescued ?? []).map((database) => describeRescued(database, where)),
  ].join('\n');
}

/** How size and rows have gone, of each database by itself. */
function trendsOf(backups: readonly ListedBackup[]): string[] {
  const databases = new Set(backups.flatMap(({ database }) => database ?? []));
  return [...databases].flatMap((name) => {
    const trend = describeTrend(backups.filter(({ database }) => database === name));
    const of = databases.size === 1 ? '' : ` of "${name}"`;
    return trend === undefined ? [] : [`trend${of}: ${trend}`];
  });
}
