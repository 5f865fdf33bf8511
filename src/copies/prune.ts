import { listBackups } from '../backup-directory/catalog.ts';
import { copiesAt, type RecordedCopy } from '../backup-directory/copied.ts';
import { failedDrills, readHistory, recordEvent } from '../backup-directory/history.ts';
import { readKeptMarks } from '../backup-directory/kept.ts';
import { dayOf, formatCopiedManifestName, formatGlobalsName } from '../backup-directory/names.ts';
import { lockDirectory, type Context } from '../context.ts';
import type { Candidate } from '../retention/candidate.ts';
import { isLaterThan } from '../retention/candidates.ts';
import { planRetention, type Decision } from '../retention/policy.ts';
import { Denied, type Destination } from './destination.ts';
import { openDestination } from './open-destination.ts';
import { withRetries } from './retry.ts';

/** A copy that this machine has made, and that is still there. */
export type OwnCopy = Candidate & RecordedCopy;

/** What retention does with the copies at one place. */
export interface PlaceDecisions {
  readonly url: string;
  /** Oldest first. */
  readonly decisions: readonly Decision<OwnCopy>[];
}

/**
 * Applies retention to the copies that were made from this directory, by the same rules; what others have put
 * there is not looked at. Where removing is not allowed, that is told, and is no error.
 * @throws Failure `cannotConnect`, `storage`.
 */
export async function pruneCopies(
  context: Context,
  { dryRun }: { readonly dryRun: boolean },
): Promise<PlaceDecisions[]> {
  const { offsite } = context.config;
  if (!offsite.prune) return [];
  const places: PlaceDecisions[] = [];
  for (const url of offsite.urls) {
    const destination = openDestination(url, context);
    const decisions = planRetention(await ownCopies(context, destination), offsite.retention);
    places.push({ url, decisions });
    if (!dryRun) await applyAt(context, destination, decisions);
  }
  return places;
}

/**
 * The same for a person: under the lock, unless nothing is done.
 * @throws Failure `locked`; what `pruneCopies` throws.
 */
export async function pruneCopiesNow(
  context: Context,
  { dryRun, waitSeconds }: { readonly dryRun: boolean; readonly waitSeconds: number },
): Promise<PlaceDecisions[]> {
  if (dryRun || context.config.offsite.urls.length === 0) return pruneCopies(context, { dryRun });
  await using _lock = await lockDirectory(context, 'prune', waitSeconds);
  return await pruneCopies(context, { dryRun });
}

/** What is known of each, oldest first; of those that are here, too, what they hold. */
async function ownCopies(context: Context, destination: Destination): Promise<OwnCopy[]> {
  const { config, log, now, signal } = context;
  const history = await readHistory(config.backupDir);
  const marks = await readKeptMarks(config.backupDir);
  const files = await withRetries(signal, log, () => destination.list());
  const there = new Map(files.map(({ name, bytes }) => [name, bytes]));
  const failed = new Set(failedDrills(history).map(({ backup }) => backup));
  const here = new Map(
    (await listBackups(config.backupDir)).map(({ name, manifest }) => [name, manifest]),
  );
  const copies = [...copiesAt(destination.url, history).values()].filter(({ name }) =>
    there.has(name),
  );
  return copies.map((copy) => ({
    ...copy,
    day: dayOf(copy.stamp),
    knownGood: there.get(copy.name) === copy.bytes && !failed.has(copy.name),
    isBad: failed.has(copy.name),
    isKept: marks.get(copy.stamp) ?? copy.keep,
    isLatest: false,
    isFuture: isLaterThan(now())(copy),
    tables: here.get(copy.name)?.tables,
    dumpBytes: here.get(copy.name)?.dumpBytes,
    leftOut: here.get(copy.name)?.leftOut,
  }));
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
