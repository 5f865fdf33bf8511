import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatLocalTime,
  formatPlural,
} from '../../base/format.ts';
import { describeKept, describeRescued } from '../../cli/kept-database.ts';
import { formatTable } from '../../cli/table.ts';
import { describeTrend } from '../../cli/trend.ts';
import type { Config } from '../../config/config.ts';
import { serverLabel } from '../../config/place.ts';
import type { KeptDatabases } from '../../inspect/kept-databases.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';

/** What is known of databases that restores have left; null where the server could not be asked. */
type Kept = { readonly [Key in keyof KeptDatabases]: KeptDatabases[Key] | null };

/** @param backups newest first. */
export function describeList(
  backups: readonly ListedBackup[],
  { previous, rescued }: Kept,
  { backupDir, backupDirIsDefault, connection, offsite }: Config,
): string {
  const where = serverLabel(connection);
  const bytes = backups.reduce((sum, backup) => sum + backup.bytes, 0);
  const files =
    backups.length === 0
      ? [
          `no backups in ${backupDir}${backupDirIsDefault ? ' (set BACKUP_DIR or --backup-dir to look elsewhere)' : ''}`,
        ]
      : [
          describeBackups(backups, offsite.urls.length),
          `${formatPlural(backups.length, 'backup')}, ${formatBytes(bytes)} in ${backupDir}`,
          ...backups.flatMap(({ name, suspicion }) =>
            suspicion === undefined ? [] : [`LOOK at ${name}: ${suspicion}`],
          ),
          ...trendsOf(backups),
        ];
  return [
    ...files,
    ...(previous ?? []).map((database) => describeKept(database, where)),
    ...(rescued ?? []).map((database) => describeRescued(database, where)),
  ].join('\n');
}

const states: Record<ListedBackup['state'], string> = {
  verified: 'verified',
  unverified: 'unverified',
  damaged: 'DAMAGED',
};

/** @param places how many there are for copies. */
function describeBackups(backups: readonly ListedBackup[], places: number): string {
  const hasPlaces = places > 0;
  const header = [
    ...['TIME', 'AGE', 'SIZE', 'TABLES', 'ROWS', 'TOOK', 'STATE', 'RESTORED'],
    ...(hasPlaces ? ['COPIES'] : []),
    'NAME',
  ];
  const rows = backups.map((backup) => [
    formatLocalTime(backup.moment),
    backup.ageMs < 0 ? 'in the future' : formatAge(backup.ageMs),
    formatBytes(backup.bytes),
    backup.tables === undefined ? '?' : formatCount(backup.tables),
    backup.rows === undefined ? '?' : formatCount(backup.rows),
    backup.durationMs === undefined ? '?' : formatDuration(backup.durationMs),
    describeState(backup),
    describeDrill(backup),
    ...(hasPlaces ? [`${backup.copies.length} of ${places}`] : []),
    [backup.name, ...notesOn(backup)].join('  '),
  ]);
  return formatTable([header, ...rows], [2, 3, 4, 5]);
}

/** What stands behind its name. */
const notesOn = ({ isLatest, isKept, label, leftOut }: ListedBackup): string[] => [
  ...(isLatest ? ['<- latest'] : []),
  ...(isKept ? ['kept'] : []),
  ...(label === undefined ? [] : [`"${label}"`]),
  ...(leftOut.length === 0 ? [] : [`without the rows of ${formatPlural(leftOut.length, 'table')}`]),
];

function describeState({
  state,
  byOldScript,
  suspicion,
  moment,
  verifiedAt,
}: ListedBackup): string {
  const isLater = verifiedAt !== undefined && verifiedAt.getTime() - moment.getTime() > 86_400_000;
  return [
    ...(byOldScript ? ['old script'] : []),
    isLater ? `${states[state]} ${dayOf(verifiedAt)}` : states[state],
    ...(suspicion === undefined ? [] : ['LOOK']),
  ].join(', ');
}

const outcomes = { passed: 'proven', failed: 'FAILED', notProven: 'not proven' } as const;

const describeDrill = ({ drill }: ListedBackup) =>
  drill === undefined ? '-' : `${outcomes[drill.outcome]} ${dayOf(drill.at)}`;

const dayOf = (moment: Date) => formatLocalTime(moment).slice(0, 10);

/** How size and rows have gone, of each database by itself. */
function trendsOf(backups: readonly ListedBackup[]): string[] {
  const databases = new Set(backups.flatMap(({ database }) => database ?? []));
  return [...databases].flatMap((name) => {
    const trend = describeTrend(backups.filter(({ database }) => database === name));
    const of = databases.size === 1 ? '' : ` of "${name}"`;
    return trend === undefined ? [] : [`trend${of}: ${trend}`];
  });
}
