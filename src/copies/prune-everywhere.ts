import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';
import { telling } from '../notify/notify.ts';
import { prune, type PruneOptions, type PruneReport } from '../retention/prune.ts';
import { pruneCopiesNow, type PrunedCopies } from './prune.ts';

/** What was done here, and with the copies. */
export type PruneEverywhereReport = PruneReport & PrunedCopies;

/**
 * Applies retention to the backup directory, then to the copies that were made from it. What came of it is told,
 * unless it was only a question.
 * @throws what `prune` throws.
 */
export async function pruneEverywhere(
  context: Context,
  options: PruneOptions,
): Promise<PruneEverywhereReport> {
  const work = async () => ({
    ...(await prune(context, options)),
    ...(await pruneElsewhere(context, options)),
  });
  if (options.dryRun) return work();
  return telling(
    context,
    'prune',
    work,
    (report) =>
      report.failure ?? {
        removed: [report.decisions, ...report.places.map(({ decisions }) => decisions)]
          .flat()
          .filter(({ action }) => action === 'remove').length,
      },
  );
}

/** What was done here is told, too, where a place for copies cannot be reached. */
async function pruneElsewhere(context: Context, options: PruneOptions): Promise<PrunedCopies> {
  const pruned = await pruneCopiesNow(context, options).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    return { places: [], failure: error };
  });
  if (pruned.failure === undefined) return pruned;
  const { message, hint } = pruned.failure;
  const failure = new Failure('incomplete', `copies could not be pruned: ${message}`, { hint });
  return { ...pruned, failure };
}
