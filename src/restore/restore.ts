import { quoteIdentifier } from '../base/sql.ts';
import type { ReadProgress } from '../archive/reader.ts';
import { messageOf } from '../base/errors.ts';
import { dropDatabase } from '../postgres/databases.ts';
import type { Server } from '../postgres/psql.ts';
import { RestoreLock } from './lock.ts';
import type { ServerFacts } from './server-facts.ts';
import { restoreFailure } from './failure.ts';
import { fillScratch, type Filled } from './fill.ts';
import { ScratchDatabase } from './scratch.ts';
import { requireSame } from './finding.ts';
import { removeLeftovers } from './leftovers.ts';
import type { Refusals } from './load/refusals.ts';
import { createReplayFilter, locate, prepare, type RestoreChoice } from './prepare.ts';
import type { RestorePlan } from './plan.ts';
import { explainRefusal } from './explain-refusal.ts';
import { writeRefused } from './refused-file.ts';
import { whileThereIsRoom } from './disk-space.ts';
import { contactedServer, lockToRead, type Context } from '../context.ts';

export type { ReadProgress, RestoreChoice };

export interface RestoreOptions extends RestoreChoice {
  readonly waitSeconds: number;
  /** How many sessions load; 1: one psql reads the dump in its order. */
  readonly jobs: number;
  /** Asks the person; throws where the answer is not yes. */
  readonly confirm: (plan: RestorePlan) => Promise<void>;
  /** With `skipRefused`: asks whether to swap in what lacks these; `path` is where they are written down. */
  readonly confirmRefused: (refusals: Refusals, path: string | undefined) => Promise<void>;
  /** While it is loaded. */
  readonly onProgress?: (progress: ReadProgress) => void;
  /** While indexes and constraints are built: how many are left. */
  readonly onBuild?: (left: number) => void;
}

export interface RestoreReport extends Filled {
  readonly plan: RestorePlan;
  /** Where the refused statements are written down, if there are any. */
  readonly refusedPath: string | undefined;
  /** The previous database was dropped. */
  readonly dropped: boolean;
  readonly durationMs: number;
}

/**
 * Looks at the file and at the server, and says what a restore would do; changes nothing.
 * @throws Failure `noSuchBackup`, `verificationFailed`, `cannotConnect`, `storage`; `restoreFailed`
 *   with everything at once that stands in the way.
 */
export async function previewRestore(
  context: Context,
  choice: RestoreChoice,
): Promise<RestorePlan> {
  const file = await locate(context, choice);
  const server = await contactedServer(context);
  return (await prepare(context, server, file, choice)).plan;
}

/**
 * Restores a backup: loads it into a scratch database beside the target, checks that everything
 * arrived, gives it what the present database has, and swaps the two names in one transaction.
 * @throws Failure `restoreFailed`: the target is as it was; and what `previewRestore` throws.
 */
export async function restore(context: Context, options: RestoreOptions): Promise<RestoreReport> {
  const { config, log, signal } = context;
  const file = await locate(context, options);
  const server = await contactedServer(context);
  const { plan: proposed, ...known } = await prepare(context, server, file, options, (facts) =>
    tidyUp(context, server, options, facts),
  );
  await options.confirm(proposed);
  await using _directory = await lockToRead(context, 'restore', options.waitSeconds);
  await using lock = await RestoreLock.acquire(
    server,
    config.connection.database,
    options.waitSeconds,
  );
  const started = performance.now();
  // Things may have changed meanwhile.
  const prepared = await prepare(context, server, file, options, undefined, known);
  const { plan } = prepared;
  requireSame(plan.previous !== undefined, proposed.previous !== undefined, plan.target);
  await lock.announce(plan.scratch);
  let loaded: Omit<RestoreReport, 'plan' | 'dropped' | 'durationMs'>;
  try {
    await using scratch = await ScratchDatabase.create(server, log, {
      name: plan.scratch,
      create: plan.create,
      anyLocale: plan.previous === undefined,
      settings: plan.settings.before,
    });
    const { facts, another } = prepared;
    const filled = await whileThereIsRoom(facts, signal, (limited) =>
      fillScratch(
        log,
        { ...server, signal: limited },
        scratch,
        plan,
        () => createReplayFilter(facts, options),
        { ...options, another },
      ),
    );
    const refusedPath =
      filled.refusals && (await agreeOnRefused(context, plan, filled.refusals, options));
    loaded = { ...filled, refusedPath };
    signal.throwIfAborted();
    await lock.assertHeld();
    await scratch.swapIn(plan);
  } catch (error) {
    signal.throwIfAborted();
    throw restoreFailure(await explainRefusal(error, prepared, signal));
  }
  const dropped = options.dropOld && (await dropPrevious(context, server, plan));
  return { plan, ...loaded, dropped, durationMs: performance.now() - started };
}

const dropTimeoutMs = 60_000;

/** What a killed restore has left takes room: it goes before that is judged. */
async function tidyUp(
  { config, log }: Context,
  server: Server,
  { waitSeconds }: RestoreOptions,
  { leftovers }: ServerFacts,
): Promise<void> {
  if (leftovers.length === 0) return;
  const { database } = config.connection;
  await using lock = await RestoreLock.acquire(server, database, waitSeconds);
  await removeLeftovers(lock, log);
}

/** Writes down what was left out, and asks whether to go on without it. */
async function agreeOnRefused(
  { log }: Context,
  { file, target }: RestorePlan,
  refusals: Refusals,
  { confirmRefused }: RestoreOptions,
): Promise<string | undefined> {
  if (refusals.statements.length + refusals.tables.length === 0) return undefined;
  const path = await writeRefused(file.path, target, refusals).catch((error: unknown) => {
    log.warn(
      { hint: 'they are in the backup as before' },
      `the refused statements could not be written to a file: ${messageOf(error)}`,
    );
    return undefined;
  });
  await confirmRefused(refusals, path);
  return path;
}

async function dropPrevious(
  { log }: Context,
  server: Server,
  { previous }: RestorePlan,
): Promise<boolean> {
  if (previous === undefined) return false;
  try {
    // Also after an interruption: the restore is done.
    await dropDatabase({ ...server, signal: AbortSignal.timeout(dropTimeoutMs) }, previous);
    return true;
  } catch (error) {
    log.warn(
      { hint: `DROP DATABASE ${quoteIdentifier(previous)} when nothing uses it any more` },
      `the restore is done, but the previous database could not be dropped: ${messageOf(error)}`,
    );
    return false;
  }
}
