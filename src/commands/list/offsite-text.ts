import { formatBytes, formatPlural } from '../../base/format.ts';
import { formatTable } from '../../cli/table.ts';
import type { Place } from '../../copies/list-copies.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';

/** What a place for copies has, and whether it is here, too. */
export function describePlace({ url, backups }: Place, here: readonly ListedBackup[]): string {
  if ('unknown' in backups) return `\ncopies at ${url}: not known, ${backups.unknown}`;
  const names = new Set(here.map(({ name }) => name));
  const lines = backups.value.map(({ name, bytes }) => [
    formatBytes(bytes),
    names.has(name) ? 'here, too' : 'only there',
    name,
  ]);
  const all = formatPlural(lines.length, 'copy', 'copies');
  return [
    `\n${all} at ${url}`,
    ...(lines.length === 0 ? [] : [formatTable(lines, { right: [0] })]),
  ].join('\n');
}
