import { ReplayFilter } from '../dump/replay-filter.ts';
import type { Skipped } from '../dump/role-filter.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { analyzeDatabase } from './load/analyze.ts';
import type { Server } from '../postgres/psql.ts';
import type { ScratchDatabase } from './scratch.ts';
import { loadArchive, type Loaded, type LoadOptions } from './load/load.ts';
import type { RestorePlan } from './plan.ts';
import { NotInParallel } from './load/parallel.ts';

/** What a scratch database was filled with. */
export interface Filled extends Loaded {
  /** About roles that are not here. */
  readonly skipped: Skipped;
  /** How many statements about the database as a whole, in the dump, were left out. */
  readonly leftOut: number;
}

/**
 * Makes the scratch database what the target is to be.
 * @param createReplayFilter what is replayed of the dump; a second one where it is loaded again in order.
 * @throws Failure `restoreFailed`; UnsafeDump.
 */
export async function fillScratch(
  log: Log,
  server: Server,
  scratch: ScratchDatabase,
  plan: RestorePlan,
  createReplayFilter: () => ReplayFilter,
  options: LoadOptions,
): Promise<Filled> {
  const load = async (jobs: number) => {
    const replay = createReplayFilter();
    const loading = { ...options, jobs };
    return { replay, loaded: await loadArchive(server, scratch.name, plan.file, replay, loading) };
  };
  const { replay, loaded } = await load(options.jobs).catch(async (error: unknown) => {
    if (!(error instanceof NotInParallel)) throw error;
    log.warn(
      { hint: 'it takes longer, and is the same; `--jobs 1` begins with it' },
      `loading tables side by side did not work, loading them again in the order of the dump: ${error.message}`,
    );
    await scratch.recreate();
    return load(1);
  });
  await analyze(log, server, scratch.name, { jobs: options.jobs, except: loaded.analyzed });
  await scratch.apply(plan.settings.after);
  return { ...loaded, skipped: replay.skipped, leftOut: replay.leftOut };
}

/** The first clients of the new database find the statistics that its plans need. */
async function analyze(
  log: Log,
  server: Server,
  scratch: string,
  options: { readonly jobs: number; readonly except: ReadonlySet<string> },
): Promise<void> {
  try {
    await analyzeDatabase(server, scratch, options);
  } catch (error) {
    server.signal.throwIfAborted();
    log.warn(
      { hint: 'run ANALYZE in the restored database' },
      `ANALYZE failed: ${messageOf(error)}`,
    );
  }
}
