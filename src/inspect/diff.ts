import { digestArchive } from '../archive/digest.ts';
import { Failure } from '../base/errors.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { readAccess, type Context } from '../context.ts';
import { compareTables, type TableChange } from './changes.ts';
import { contentsOf, locate, type Contents } from './details.ts';

export interface DiffOptions {
  /** Read both, and compare the rows of the tables that both have. */
  readonly content: boolean;
}

export interface Diff {
  readonly before: Contents;
  readonly now: Contents;
  /** Every table of both, by name. */
  readonly tables: readonly TableChange[];
  /** Tables of both that do not hold the same rows; undefined where that was not compared. */
  readonly differing: readonly string[] | undefined;
}

/**
 * Compares what two backups hold.
 * @throws Failure `noSuchBackup`, `storage`; `verificationFailed` where rows cannot be compared, for one
 *   is not good.
 */
export async function diff(
  context: Context,
  [first, second]: readonly [string, string],
  options: DiffOptions,
): Promise<Diff> {
  const files = [await locate(context, first), await locate(context, second)] as const;
  const before = await contentsOf(context, files[0]);
  const now = await contentsOf(context, files[1]);
  return {
    before,
    now,
    tables: compareTables(before.tables, now.tables),
    differing: options.content ? await compareContents(context, files) : undefined,
  };
}

async function compareContents(
  context: Context,
  [before, now]: readonly [BackupFile, BackupFile],
): Promise<string[]> {
  const first = await digestGood(context, before);
  const second = await digestGood(context, now, first);
  return [...first.tables].flatMap(([table, { digest }]) => {
    const other = second.tables.get(table);
    return other === undefined || other.digest === digest ? [] : [table];
  });
}

async function digestGood(
  context: Context,
  file: BackupFile,
  like?: Awaited<ReturnType<typeof digestArchive>>['digest'],
) {
  const { digest, report } = await digestArchive(file, readAccess(context), { like });
  if (report.defects.length === 0) return digest;
  const message = `${file.name} is not good: ${report.defects.join('; ')}`;
  throw new Failure('verificationFailed', message, {
    hint: 'its rows cannot be compared; without --content the numbers of rows are',
  });
}
