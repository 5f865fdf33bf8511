import { Failure } from '../../base/errors.ts';
import type { ListResult } from '../../cli/results.ts';
import type { ListedPlace } from '../../inspect/list-places.ts';

/** @throws Failure `usage` where a file was given, too. */
export function requireNoFile(file: string | undefined): void {
  if (file === undefined) return;
  throw new Failure('usage', '--offsite asks for all copies, not for one', {
    hint: '`pratiko-backup verify --from-offsite NAME` reads one',
  });
}

/** A place for copies, for programs. */
export const placeResult = ({
  url,
  copies,
}: ListedPlace): NonNullable<ListResult['offsite']>[number] =>
  'unknown' in copies
    ? { url, backups: null, problem: copies.unknown }
    : {
        url,
        backups: copies.value.map(({ database, rows, suspicion, ...copy }) => ({
          ...copy,
          database: database ?? null,
          rows: rows ?? null,
          suspicion: suspicion ?? null,
        })),
        problem: null,
      };
