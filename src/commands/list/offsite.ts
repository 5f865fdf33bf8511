import { Failure } from '../../base/errors.ts';
import { formatBytes, formatPlural } from '../../base/format.ts';
import { formatTable } from '../../cli/table.ts';
import type { Context } from '../../context.ts';
import type { Place } from '../../copies/list-copies.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';

/** @throws Failure `usage` where a file was given, too. */
export function requireNoFile(file: string | undefined): void {
  if (file === undefined) return;
  throw new Failure('usage', '--offsite asks for all copies, not for one', {
    hint: '`pratiko-backup verify --from-offsite NAME` reads one',
  });
}

/** Asks each place for copies. */
export async function askPlaces(context: Context): Promise<Place[]> {
  const { listCopies } = await import('../../copies/list-copies.ts');
  return listCopies(context);
}

/** The same for programs. */
export const placeResult = ({ url, backups }: Place) =>
  'value' in backups
    ? { url, backups: backups.value.map(({ name, bytes }) => ({ name, bytes })), problem: null }
    : { url, backups: null, problem: backups.unknown };

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
