import { freeBytesAt } from '../base/free-bytes.ts';
import { largerEarlierBackups } from '../backup-directory/larger-earlier-backup.ts';
import { applyPlan, planForDirectory } from './apply.ts';
import { describeLossByTable } from '../backup-directory/loss.ts';
import { readMeasures, writeMeasures, type Measures } from '../backup-directory/accepted-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { writeKeptMarks } from '../backup-directory/kept.ts';
import type { StockOptions } from './candidates.ts';
import { markKept, type Marked, type Wishes } from './keep.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { requireDirectory } from '../backup-directory/directory.ts';
import { lockDirectory, type Context } from '../context.ts';

export interface PruneOptions {
  readonly dryRun: boolean;
  readonly waitSeconds: number;
  /** Let go of backups that are held because they hold what was lost since. */
  readonly acceptLoss: boolean;
  /** What a person says of backups to keep. */
  readonly wishes: Wishes;
  /** Shows a person what is given up and asks; throws where the answer is not yes. */
  readonly confirm: (losses: readonly AcceptedLoss[]) => Promise<void>;
}

/** What a database has lost, as its backups tell. */
export interface AcceptedLoss {
  readonly database: string;
  /** The backup that becomes the measure. */
  readonly newest: string;
  /** Each a clause for people. */
  readonly lost: readonly string[];
}

export interface PruneDecision {
  readonly name: string;
  readonly bytes: number;
  readonly action: 'keep' | 'remove';
  readonly reason: string;
}

export interface PruneReport {
  /** Oldest backup first. */
  readonly decisions: readonly PruneDecision[];
  readonly accepted: readonly AcceptedLoss[];
  /** What stays now, or no longer. */
  readonly marked: Marked['changed'];
}

/**
 * Applies retention to the backup directory. With `dryRun` nothing is changed and no lock is taken.
 * @throws Failure `locked`; `storage`; `noSuchBackup` for a backup to keep that is not there.
 */
export async function prune(context: Context, options: PruneOptions): Promise<PruneReport> {
  const { config, log } = context;
  if (!config.backupDirIsDefault) await requireDirectory(config.backupDir);
  const accepted = options.acceptLoss ? await findLosses(context) : [];
  if (options.dryRun || (await listBackups(config.backupDir)).length === 0) {
    const measures = await measuresWith(accepted, context);
    const { marks, changed } = await markKept(context, options.wishes);
    const decisions = await plan(context, { measures, marks });
    return { decisions: decisions.map(describe), accepted, marked: changed };
  }
  await markKept(context, options.wishes); // a name that leads nowhere changes nothing
  if (accepted.length > 0) await options.confirm(accepted);
  await using _lock = await lockDirectory(context, 'prune', options.waitSeconds);
  const { marks, changed } = await markKept(context, options.wishes);
  if (accepted.length > 0) await accept(accepted, context);
  if (changed.length > 0) await writeKeptMarks(config.backupDir, marks);
  for (const { name, keep } of changed) {
    log.info(`${name} ${keep ? 'stays, however old' : 'is kept no longer than others'}`);
  }
  const decisions = await plan(context);
  await applyPlan(config.backupDir, decisions, context.signal, ({ backup, reason }) =>
    log.info(`removed ${backup.name}: ${reason}`),
  );
  return { decisions: decisions.map(describe), accepted, marked: changed };
}

async function findLosses({ config }: Context): Promise<AcceptedLoss[]> {
  const losses: AcceptedLoss[] = [];
  for (const [database, newest] of newestByDatabase(await listBackups(config.backupDir))) {
    const { manifest } = newest;
    const larger =
      manifest === undefined
        ? []
        : await largerEarlierBackups(config.backupDir, manifest, config.retention.suspiciousDrop);
    const lost = larger.map(({ backup, losses: each }) =>
      describeLossByTable(newest.name, backup.name, each),
    );
    if (lost.length > 0) losses.push({ database, newest: newest.name, lost });
  }
  return losses;
}

/** Writes down that what a person was shown no longer matters. */
async function accept(losses: readonly AcceptedLoss[], context: Context): Promise<void> {
  await writeMeasures(context.config.backupDir, await measuresWith(losses, context));
  for (const { database, newest } of losses) {
    context.log.info(`${newest} is the new measure for database "${database}"`);
  }
}

/** What would count if these losses were accepted. */
async function measuresWith(
  losses: readonly AcceptedLoss[],
  { config }: Context,
): Promise<Measures> {
  const measures = new Map(await readMeasures(config.backupDir));
  const backups = await listBackups(config.backupDir);
  for (const { database, newest } of losses) {
    const backup = backups.find(({ name }) => name === newest);
    if (backup !== undefined) measures.set(database, backup.madeAt);
  }
  return measures;
}

function newestByDatabase(backups: readonly Backup[]): Map<string, Backup> {
  return new Map(
    backups.flatMap((backup): [string, Backup][] => {
      const { manifest } = backup;
      return manifest === undefined ? [] : [[manifest.database.name, backup]];
    }),
  );
}

/** @param said what a person says just now; without it, what is written down. */
async function plan(
  { config, log, now, signal, onStep }: Context,
  said: Pick<StockOptions, 'measures' | 'marks'> = {},
) {
  const { backupDir, retention: policy, offsite } = config;
  const isTight = offsite.urls.length > 0 && (await isShortOfRoom(backupDir));
  if (isTight) {
    log.warn('there is no room for two more backups: those that are not copied yet may go, too');
  }
  const urls = isTight ? [] : offsite.urls;
  return planForDirectory(backupDir, {
    ...said,
    policy,
    now: now(),
    signal,
    onStep,
    offsite: urls,
  });
}

/** Two more backups like the newest one would not fit. */
async function isShortOfRoom(directory: string): Promise<boolean> {
  const newest = (await listBackups(directory)).at(-1);
  if (newest === undefined) return false;
  return (await freeBytesAt(directory)) < 2 * newest.bytes;
}

type Planned = Awaited<ReturnType<typeof plan>>[number];

const describe = ({ backup, action, reason }: Planned): PruneDecision => ({
  name: backup.name,
  bytes: backup.bytes,
  action,
  reason,
});
