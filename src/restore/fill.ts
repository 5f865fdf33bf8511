import { quoteIdentifier } from '../base/sql.ts';
import { ReplayFilter } from '../dump/replay-filter.ts';
import type { Skipped } from '../dump/role-filter.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { analyzeDatabase } from './load/analyze.ts';
import { applySettings } from '../postgres/database-settings.ts';
import type { Server } from '../postgres/psql.ts';
import { createScratch, dropScratch } from './scratch.ts';
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

/** Creates the database beside the target, with the settings that decide what is loaded. */
export async function makeScratch(log: Log, server: Server, plan: RestorePlan): Promise<void> {
  await createScratch(server, {
    name: plan.scratch,
    create: plan.create,
    anyLocale: plan.previous === undefined,
    onWarning: (message) => log.warn(message),
  });
  await apply(log, server, plan.scratch, plan.settings.before);
}

/**
 * Makes the scratch database what the target is to be.
 * @param createReplayFilter what is replayed of the dump; a second one where it is loaded again in order.
 * @throws Failure `restoreFailed`; UnsafeDump.
 */
export async function fillScratch(
  log: Log,
  server: Server,
  plan: RestorePlan,
  createReplayFilter: () => ReplayFilter,
  options: LoadOptions,
): Promise<Filled> {
  const load = async (jobs: number) => {
    const replay = createReplayFilter();
    const loading = { ...options, jobs };
    return { replay, loaded: await loadArchive(server, plan.scratch, plan.file, replay, loading) };
  };
  const { replay, loaded } = await load(options.jobs).catch(async (error: unknown) => {
    if (!(error instanceof NotInParallel)) throw error;
    log.warn(
      { hint: 'it takes longer, and is the same; `--jobs 1` begins with it' },
      `loading tables side by side did not work, loading them again in the order of the dump: ${error.message}`,
    );
    await dropScratch(server, plan.scratch);
    await makeScratch(log, server, plan);
    return load(1);
  });
  await analyze(log, server, plan, { jobs: options.jobs, except: loaded.analyzed });
  await apply(log, server, plan.scratch, plan.settings.after);
  return { ...loaded, skipped: replay.skipped, leftOut: replay.leftOut };
}

/** @returns whether it is gone. */
export async function removeScratch(log: Log, server: Server, scratch: string): Promise<boolean> {
  try {
    await dropScratch(server, scratch);
    return true;
  } catch (error) {
    log.warn(
      { hint: `the next restore tries again; by hand: DROP DATABASE ${quoteIdentifier(scratch)}` },
      `the scratch database "${scratch}" is left: ${messageOf(error)}`,
    );
    return false;
  }
}

async function apply(
  log: Log,
  server: Server,
  scratch: string,
  statements: readonly string[],
): Promise<void> {
  for (const { statement, reason } of await applySettings(server, scratch, statements)) {
    log.warn(`the server refused "${statement}": ${reason}`);
  }
}

/** The first clients of the new database find the statistics that its plans need. */
async function analyze(
  log: Log,
  server: Server,
  { scratch }: RestorePlan,
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
