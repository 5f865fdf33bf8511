import type { Skipped } from '../dump/role-filter.ts';
import { messageOf } from '../base/errors.ts';
import { analyzeDatabase, type AnalyzeOptions } from './load/analyze.ts';
import { within, type Server } from '../postgres/psql.ts';
import type { ScratchDatabase } from './scratch.ts';
import { loadArchive } from './load/load.ts';
import type { Loaded, LoadOptions } from './load/loaded.ts';
import { readAccess, type Context } from '../context.ts';
import { whileThereIsRoom } from './disk-space.ts';
import type { Prepared } from './prepare.ts';
import { createReplayFilter } from './replay.ts';
import { NotInParallel } from './load/parallel.ts';

/** What a scratch database was filled with. */
export interface Filled extends Loaded {
  /** About roles that are not here. */
  readonly skipped: Skipped;
  /** How many statements about the database as a whole, in the dump, were left out. */
  readonly leftOut: number;
}

/** How a scratch database is filled. */
export interface FillOptions extends Omit<LoadOptions, 'another' | 'chosen' | 'keys' | 'onStep'> {
  readonly owners: boolean;
  readonly privileges: boolean;
  /** Somebody will use it. */
  readonly analyze: boolean;
}

/**
 * Makes the scratch database what the target is to be; gives up before the server's disk is full.
 * @throws Failure `restoreFailed`; UnsafeDump.
 */
export async function fillScratch(
  context: Context,
  server: Server,
  scratch: ScratchDatabase,
  { plan, facts, another, chosen }: Pick<Prepared, 'plan' | 'facts' | 'another' | 'chosen'>,
  options: FillOptions,
): Promise<Filled> {
  const { log, signal } = context;
  return whileThereIsRoom(facts, signal, async (limited) => {
    const limitedServer = within(server, limited);
    const load = async (jobs: number) => {
      const replay = createReplayFilter(facts, options);
      const loading = { ...options, ...readAccess(context), jobs, another, chosen };
      const loaded = await loadArchive(limitedServer, scratch.name, plan.file, replay, loading);
      return { replay, loaded };
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
    if (options.analyze) {
      const { jobs } = options;
      const { onStep } = context;
      await analyze(log, limitedServer, scratch.name, { jobs, except: loaded.analyzed, onStep });
    }
    await scratch.apply(plan.settings.after);
    return { ...loaded, skipped: replay.skipped, leftOut: replay.leftOut };
  });
}

/** The first clients of the new database find the statistics that its plans need. */
async function analyze(
  log: Context['log'],
  server: Server,
  scratch: string,
  options: AnalyzeOptions,
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
