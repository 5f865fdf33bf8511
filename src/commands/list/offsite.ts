import { Failure } from '../../base/errors.ts';
import type { Context } from '../../context.ts';
import type { Place } from '../../copies/list-copies.ts';

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
