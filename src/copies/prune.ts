import { Failure } from '../base/errors.ts';
import { recordEvent } from '../backup-directory/history.ts';
import { formatCopiedManifestName, formatGlobalsName } from '../backup-directory/names.ts';
import { lockDirectory, type Context } from '../context.ts';
import { planRetention, type Decision } from '../retention/policy.ts';
import { Denied, type Destination } from './destination.ts';
import { openDestination } from './open-destination.ts';
import { ownCopies, type OwnCopy } from './own-copies.ts';
import { withRetries } from './retry.ts';

/** What retention does with the copies at one place. */
export interface PlaceDecisions {
  readonly url: string;
  /** Oldest first. */
  readonly decisions: readonly Decision<OwnCopy>[];
}

export interface PrunedCopies {
  readonly places: readonly PlaceDecisions[];
  /** Why it could not be done at others; undefined where it was done everywhere. */
  readonly failure: Failure | undefined;
}

/**
 * Applies retention to the copies that were made from this directory, by the same rules; what others have put
 * there is not looked at. Where removing is not allowed, that is told, and is no error. A place that fails does
 * not keep the others from being served.
 */
export async function pruneCopies(
  context: Context,
  { dryRun }: { readonly dryRun: boolean },
): Promise<PrunedCopies> {
  const { offsite } = context.config;
  const places: PlaceDecisions[] = [];
  const failures: Failure[] = [];
  for (const url of offsite.prune ? offsite.urls : []) {
    try {
      const destination = openDestination(url, context);
      const decisions = planRetention(await ownCopies(context, destination), offsite.retention);
      if (!dryRun) await applyAt(context, destination, decisions);
      places.push({ url, decisions });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  return { places, failure: summarize(failures) };
}

function summarize(failures: readonly Failure[]): Failure | undefined {
  if (failures.length === 0) return undefined;
  const all = (texts: readonly string[]) => [...new Set(texts)].join('; ');
  return new Failure('incomplete', all(failures.map(({ message }) => message)), {
    hint: all(failures.map(({ hint }) => hint)),
  });
}

/**
 * The same for a person: under the lock, unless nothing is done.
 * @throws Failure `locked`, `storage`.
 */
export async function pruneCopiesNow(
  context: Context,
  { dryRun, waitSeconds }: { readonly dryRun: boolean; readonly waitSeconds: number },
): Promise<PrunedCopies> {
  if (dryRun || context.config.offsite.urls.length === 0) return pruneCopies(context, { dryRun });
  await using _lock = await lockDirectory(context, 'prune', waitSeconds);
  return await pruneCopies(context, { dryRun });
}

async function applyAt(
  context: Context,
  destination: Destination,
  decisions: readonly Decision<OwnCopy>[],
): Promise<void> {
  const { config, log, now, signal } = context;
  const { url } = destination;
  for (const { backup, action, reason } of decisions) {
    if (action !== 'remove') continue;
    try {
      for (const name of filesOfCopy(backup)) {
        await withRetries(signal, log, () => destination.remove(name));
      }
    } catch (error) {
      if (!(error instanceof Denied)) throw error;
      log.warn(
        { hint: 'if that is meant so, set OFFSITE_PRUNE=never' },
        `${url} does not let copies be removed: they stay`,
      );
      return;
    }
    log.info(`removed ${backup.name} from ${url}: ${reason}`);
    const at = now().toISOString();
    await recordEvent(
      config.backupDir,
      { at, event: 'copy', outcome: 'removed', to: url, backup: backup.name },
      log,
    );
  }
}

/** Interrupted in between, it leaves a whole backup. */
function filesOfCopy(copy: OwnCopy): string[] {
  return [formatGlobalsName(copy), formatCopiedManifestName(copy), copy.name];
}
