import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';
import { telling } from '../notify/notify.ts';
import { prune, type PruneOptions, type PruneReport } from '../retention/prune.ts';
import { pruneCopiesNow, type PlaceDecisions } from './prune.ts';

export interface PruneEverywhereReport extends PruneReport {
  /** What was done with the copies at each place. */
  readonly places: readonly PlaceDecisions[];
  /** Why that could not be done everywhere. */
  readonly failure: Failure | undefined;
}

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
async function pruneElsewhere(
  context: Context,
  options: PruneOptions,
): Promise<Pick<PruneEverywhereReport, 'places' | 'failure'>> {
  try {
    return { places: await pruneCopiesNow(context, options), failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { message, hint } = error;
    const failure = new Failure('incomplete', `copies could not be pruned: ${message}`, { hint });
    return { places: [], failure };
  }
}
