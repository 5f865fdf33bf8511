import { formatBytes, formatPlural } from '../../base/format.ts';
import { formatTable } from '../../cli/table.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';
import type { ListedPlace } from '../../inspect/list-places.ts';
import { describeLooks } from './looks.ts';

/** What a place for copies has, and whether it is here, too. */
export function describePlace({ url, copies }: ListedPlace, here: readonly ListedBackup[]): string {
  if ('unknown' in copies) return `\ncopies at ${url}: not known, ${copies.unknown}`;
  const names = new Set(here.map(({ name }) => name));
  const databases = copies.value.flatMap(({ database }) => database ?? []);
  const isMixed = new Set(databases).size > 1;
  const lines = copies.value.map(({ name, bytes, rows, database, state, suspicion }) => [
    formatBytes(bytes),
    rows === undefined ? '? rows' : formatPlural(rows, 'row'),
    ...(isMixed ? [database ?? '?'] : []),
    [
      names.has(name) ? 'here, too' : 'only there',
      ...(state === 'damaged' ? ['DAMAGED'] : []),
      ...(suspicion === undefined ? [] : ['LOOK']),
    ].join(', '),
    name,
  ]);
  return [
    `\n${formatPlural(lines.length, 'copy', 'copies')} at ${url}`,
    ...(lines.length === 0 ? [] : [formatTable(lines, { right: [0, 1] })]),
    ...describeLooks(copies.value),
  ].join('\n');
}
