import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatLocalTime,
  formatPlural,
} from '../../base/format.ts';
import { totalRows } from '../../base/table-rows.ts';
import { describeChange } from '../../cli/changes.ts';
import { formatRows, formatTable, tableWidth } from '../../cli/table.ts';
import type { Details } from '../../inspect/details.ts';

/** @param width columns of the terminal; undefined where there is none. */
export function describeDetails(details: Details, now: Date, width?: number): string {
  const { file, tables, changes, before } = details;
  const bytes = new Map(tables.map((each) => [each.table, each.bytes]));
  const rows = changes.map((change) => [
    change.table,
    change.now === null ? '' : formatCount(change.now),
    change.now === null ? '' : formatBytes(bytes.get(change.table) ?? 0),
    before === undefined ? '' : describeChange(change, file.manifest?.leftOut?.tables),
  ]);
  const header = ['TABLE', 'ROWS', 'BYTES', before === undefined ? '' : 'SINCE THE ONE BEFORE'];
  const total = `${formatPlural(tables.length, 'table')}, ${formatPlural(totalRows(tables), 'row')}`;
  return [
    file.name,
    formatTable(
      factsOf(details, now).map(([label, value]) => [`  ${label}`, value]),
      { width },
    ),
    '',
    ...(changes.length === 0 ? [] : [formatChanges(header, rows, width)]),
    total,
    ...(before === undefined
      ? []
      : [
          `before: ${before.name}, ${formatPlural(before.rows, 'row')}, ${formatBytes(before.dumpBytes)} of SQL`,
        ]),
  ].join('\n');
}

/** Where the screen is too narrow for a long name beside its numbers, these stand below it. */
function formatChanges(header: string[], rows: string[][], width: number | undefined): string {
  if (width === undefined || tableWidth([header, ...rows]) <= width) {
    return formatTable([header, ...rows], { right: [1, 2] });
  }
  const numbers = formatRows(
    [header, ...rows].map(([, ...cells]) => ['', ...cells]),
    { right: [1, 2], width },
  );
  return [header, ...rows].flatMap(([name = ''], row) => [name, numbers[row] ?? '']).join('\n');
}

function factsOf(
  { file, dumpBytes, serverVersion, extensions, roles }: Details,
  now: Date,
): [string, string][] {
  const { manifest } = file;
  const made = manifest && new Date(manifest.createdAt);
  return [
    ...(manifest && made
      ? ([
          [
            'made',
            `${formatLocalTime(made)} (${formatAge(now.getTime() - made.getTime())} ago), in ${formatDuration(manifest.durationMs)}`,
          ],
          ['database', manifest.database.name],
        ] satisfies [string, string][])
      : ([['made', 'not known: there is no manifest']] satisfies [string, string][])),
    ...(manifest?.label === undefined
      ? []
      : ([['label', manifest.label]] satisfies [string, string][])),
    ...leftOutOf(manifest?.leftOut),
    ['size', `${formatBytes(file.bytes)}, ${formatBytes(dumpBytes)} of SQL`],
    ['PostgreSQL', serverVersion ?? 'not known'],
    ...(manifest
      ? ([
          ['made by', `pg_dump ${manifest.pgDumpVersion}, pratiko-backup ${manifest.toolVersion}`],
        ] satisfies [string, string][])
      : []),
    ['extensions', extensions.join(', ') || 'none'],
    ['roles', roles.join(', ') || 'none'],
  ];
}

function leftOutOf(
  leftOut: NonNullable<Details['file']['manifest']>['leftOut'],
): [string, string][] {
  if (leftOut === undefined) return [];
  const sequences = leftOut.sequences.map((name) => `sequence ${name}`);
  return [['left out', [...leftOut.tables, ...sequences].join(', ')]];
}
