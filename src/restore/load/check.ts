import { reportOf } from '../../archive/reader.ts';
import type { DumpReader } from '../../archive/selected-reader.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { Failure } from '../../base/errors.ts';
import { shellWord } from '../../base/format.ts';
import { firstDifference, type TableRows } from '../../base/table-rows.ts';

/**
 * The tables of a file that was read to its end, if it is good.
 * @throws Failure `restoreFailed`, see `requireGood`.
 */
export function tablesOf(
  file: BackupFile,
  reader: DumpReader,
  another: string,
): readonly TableRows[] {
  const { contents, defects } = reportOf(reader);
  requireGood(file, defects, another);
  return contents.tables;
}

/** The file is not what it should be. */
export class BadBackup extends Failure {}

/**
 * @param another what to do instead, for people.
 * @throws BadBackup `restoreFailed` that lists the defects, if there are any.
 */
export function requireGood(file: BackupFile, defects: readonly string[], another: string): void {
  if (defects.length === 0) return;
  throw new BadBackup('restoreFailed', `${file.name} is not good: ${defects.join('; ')}`, {
    hint: `${another}; or rescue what is in this one: \`pratiko-backup restore --salvage ${shellWord(file.path)}\``,
  });
}

/** What was loaded is not what the file holds. */
export class OtherRows extends Failure {}

/** @throws OtherRows */
export function requireSameRows(tables: readonly TableRows[], copied: readonly number[]): void {
  const loaded = copied.map((rows, index) => ({ table: tables[index]?.table ?? 'unknown', rows }));
  const difference = firstDifference(loaded, tables);
  if (difference === undefined) return;
  throw new OtherRows(
    'restoreFailed',
    `the server did not load the rows of the backup: ${difference}`,
    { hint: 'a trigger or rule may have dropped rows' },
  );
}
