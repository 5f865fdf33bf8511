import { formatBytes, formatCount, formatPlural } from '../../base/format.ts';
import { totalRows } from '../../base/table-rows.ts';
import { describeChange } from '../../cli/changes.ts';
import { formatTable } from '../../cli/table.ts';
import type { Diff } from '../../inspect/diff.ts';

/** What has changed, a line a table. */
export function describeDiff({ before, now, tables, differing }: Diff): string {
  const line = (label: string, { file, tables: each, dumpBytes }: Diff['now']) =>
    `${label} ${file.name}: ${formatPlural(each.length, 'table')}, ${formatPlural(totalRows(each), 'row')}, ${formatBytes(dumpBytes)} of SQL`;
  const rows = tables.flatMap((change) => {
    const isOther = differing?.includes(change.table) ?? false;
    if (change.before === change.now && !isOther) return [];
    const words = [
      describeChange(change, now.file.manifest?.leftOut?.tables) ||
        `${formatCount(change.now ?? 0)} rows`,
      ...(isOther && change.before === change.now ? ['not the same'] : []),
    ];
    return [[`  ${change.table}`, words.join(', ')]];
  });
  const equal = tables.length - rows.length;
  const same = differing === undefined ? 'as many rows' : 'the same rows';
  return [
    line('A', before),
    line('B', now),
    ...(rows.length === 0 ? [] : [formatTable(rows)]),
    `${formatPlural(equal, 'table')} ${equal === 1 ? 'has' : 'have'} ${same}${differing === undefined ? ' (--content compares them)' : ''}`,
  ].join('\n');
}
