import { requireDirectory } from '../backup-directory/directory.ts';
import { lockDirectory, type Context } from '../context.ts';
import { telling } from '../notify/notify.ts';
import { copyMissing } from './copy.ts';
import { notAllCopied, type CopyReport } from './report.ts';
import { requirePlaces } from './require-places.ts';

/**
 * Copies what is missing, for a person: under the lock, so that nothing is removed meanwhile. What came of it is
 * told.
 * @throws Failure `usage` where there is no place for copies; `locked`; and what `copyMissing` throws.
 */
export async function copyNow(
  context: Context,
  { waitSeconds }: { readonly waitSeconds: number },
): Promise<CopyReport> {
  requirePlaces(context.config);
  if (!context.config.backupDirIsDefault) await requireDirectory(context.config.backupDir);
  return telling(
    context,
    'copy',
    async () => {
      await using _lock = await lockDirectory(context, 'copy', waitSeconds);
      return await copyMissing(context);
    },
    (report) => notAllCopied(report) ?? { copied: report.copied.length },
  );
}
