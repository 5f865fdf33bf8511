import { RestoreLock } from './lock.ts';
import { restoreFailure, throwIfInterrupted } from './failure.ts';
import { createMissingRoles } from './globals.ts';
import { fillScratch, type Filled } from './fill.ts';
import { ScratchDatabase } from './scratch.ts';
import { requireSame } from './finding.ts';
import type { RestoreChoice } from './choice.ts';
import { dropPrevious } from './drop-previous.ts';
import { tidyUp } from './leftovers.ts';
import { locateRestorable } from './locate-dump.ts';
import { prepare } from './prepare.ts';
import type { RestorePlan } from './plan.ts';
import { explainRefusal } from './explain-refusal.ts';
import { agreeOnRefused, type ConfirmRefused } from './refused.ts';
import { contactedServer, lockToRead, type Context } from '../context.ts';

export interface RestoreOptions extends RestoreChoice {
  readonly waitSeconds: number;
  /** How many sessions load; 1: one psql reads the dump in its order. */
  readonly jobs: number;
  /** Asks the person; throws where the answer is not yes. */
  readonly confirm: (plan: RestorePlan) => Promise<void>;
  /** Asked where `skipRefused` has left something out. */
  readonly confirmRefused: ConfirmRefused;
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
  const file = await locateRestorable(context, choice);
  await using server = await contactedServer(context);
  return (await prepare(context, server, file, choice)).plan;
}

/**
 * Restores a backup: loads it into a scratch database beside the target, checks that everything
 * arrived, gives it what the present database has, and swaps the two names in one transaction.
 * @throws Failure `restoreFailed`: the target is as it was; and what `previewRestore` throws.
 */
export async function restore(context: Context, options: RestoreOptions): Promise<RestoreReport> {
  const { config, log, signal } = context;
  const file = await locateRestorable(context, options);
  await using server = await contactedServer(context);
  const { plan: proposed, ...known } = await prepare(context, server, file, options, {
    makeRoom: (facts) => tidyUp(context, server, options.waitSeconds, facts),
  });
  await options.confirm(proposed);
  await using _directory = await lockToRead(context, 'restore', options.waitSeconds);
  await using lock = await RestoreLock.acquire(
    server,
    config.connection.database,
    options.waitSeconds,
  );
  const started = performance.now();
  await createMissingRoles(server, proposed.missing, log);
  // Things may have changed meanwhile.
  const prepared = await prepare(context, server, file, options, { known });
  const { plan } = prepared;
  requireSame(plan.previous !== undefined, proposed.previous !== undefined, plan.target);
  await lock.claimScratch(plan.scratch);
  let loaded: Filled & Pick<RestoreReport, 'refusedPath'>;
  try {
    await using scratch = await ScratchDatabase.create(server, log, {
      name: plan.scratch,
      create: plan.create,
      anyLocale: plan.previous === undefined,
      settings: plan.settings.before,
    });
    const filled = await fillScratch(context, server, scratch, prepared, {
      ...options,
      analyze: true,
      what: 'loading',
    });
    const refusedPath =
      filled.refusals &&
      (await agreeOnRefused(context, plan, filled.refusals, options.confirmRefused));
    loaded = { ...filled, refusedPath };
    signal.throwIfAborted();
    await lock.assertHeld();
    await scratch.swapIn(plan);
  } catch (error) {
    throwIfInterrupted(error, context);
    throw restoreFailure(await explainRefusal(error, prepared, context));
  }
  const dropped = options.dropOld && (await dropPrevious(context, server, plan));
  return { plan, ...loaded, dropped, durationMs: performance.now() - started };
}
