import { quoteIdentifier } from '../base/sql.ts';
import { randomBytes } from 'node:crypto';
import { largerEarlierBackups } from '../backup-directory/larger-earlier-backup.ts';
import type { ReadProgress } from '../archive/reader.ts';
import { readHeader, type DumpHeader } from '../archive/header.ts';
import { RoleFilter } from '../dump/role-filter.ts';
import { ReplayFilter } from '../dump/replay-filter.ts';
import { messageOf } from '../base/errors.ts';
import { dropDatabase } from '../postgres/databases.ts';
import type { Server } from '../postgres/psql.ts';
import { RestoreLock } from './lock.ts';
import { estimateRows, surveyServer, type ServerFacts } from './server-facts.ts';
import { majorVersion } from '../postgres/tools.ts';
import { restoreFailure } from './failure.ts';
import { fillScratch, makeScratch, removeScratch, type Filled } from './fill.ts';
import type { LiveRows } from './comparison.ts';
import { requirePossible, requireSame } from './finding.ts';
import { removeLeftovers } from './leftovers.ts';
import { requireGood } from './load/load.ts';
import type { Refusals } from './load/refusals.ts';
import { locateDump, requireRestorable } from './locate-dump.ts';
import { planRestore, type RestorePlan } from './plan.ts';
import { explainRefusal } from './explain-refusal.ts';
import { writeRefused } from './refused-file.ts';
import { freeBytesOf, whileThereIsRoom } from './disk-space.ts';
import { swapIn } from './swap-in.ts';
import type { LargerEarlierBackup } from '../backup-directory/row-loss.ts';
import type { Backup } from '../backup-directory/catalog.ts';
import { useAnother, type BackupFile } from '../backup-directory/locate.ts';
import { manifestOf } from '../backup-directory/manifest.ts';
import { formatStamp } from '../backup-directory/names.ts';
import { contactedServer, lockToRead, type Context } from '../context.ts';
import { requireOwnDatabase } from './target.ts';

export type { ReadProgress };

/** What to restore, and how. */
export interface RestoreChoice {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  readonly owners: boolean;
  readonly privileges: boolean;
  /** Drop the previous database after the swap. */
  readonly dropOld: boolean;
  /** A file without manifest need not prove that it is whole. */
  readonly unproven: boolean;
  /** Go on although there may be too little room. */
  readonly force: boolean;
  /** Go on without the statements that the server refuses. */
  readonly skipRefused: boolean;
  /** While the file is looked at, before anything is done. */
  readonly onSurvey?: (progress: ReadProgress) => void;
}

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

/** A plan, and what it was made from. */
interface Prepared {
  readonly plan: RestorePlan;
  readonly facts: ServerFacts;
  readonly head: DumpHeader;
  /** What to do where the file is not good, for people. */
  readonly another: string;
  /** Rows of the present database. */
  readonly live: readonly LiveRows[] | undefined;
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
  await makeScratch(log, server, plan);
  let loaded: Omit<RestoreReport, 'plan' | 'dropped' | 'durationMs'>;
  try {
    const { facts, another } = prepared;
    const filled = await whileThereIsRoom(facts, signal, (limited) =>
      fillScratch(
        log,
        { ...server, signal: limited },
        plan,
        () => createReplayFilter(facts, options),
        {
          ...options,
          another,
        },
      ),
    );
    const refusedPath =
      filled.refusals && (await agreeOnRefused(context, plan, filled.refusals, options));
    loaded = { ...filled, refusedPath };
    signal.throwIfAborted();
    await lock.assertHeld();
    await swapIn(server, plan);
  } catch (error) {
    const isGone = await removeScratch(log, server, plan.scratch);
    if (signal.aborted && isGone) {
      log.warn('the new database was dropped; the live database was not touched');
    }
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

async function locate(context: Context, { file, unproven }: RestoreChoice): Promise<BackupFile> {
  requireOwnDatabase(context);
  const found = await locateDump(context, file);
  return requireRestorable(context, found, unproven);
}

/**
 * Collects what there is to know, before anything is done.
 * @param makeRoom removes what stands in the way on the server, before room is judged.
 * @param known what was found before, and does not change.
 */
async function prepare(
  { config, now, signal, repeated }: Context,
  server: Server,
  file: BackupFile,
  choice: RestoreChoice,
  makeRoom?: (facts: ServerFacts) => Promise<void>,
  known?: Pick<Prepared, 'head' | 'another' | 'live'>,
): Promise<Prepared> {
  const target = config.connection.database;
  const facts = await surveyServer(server, target);
  await makeRoom?.(facts);
  const another =
    known?.another ?? (await useAnother(config.backupDir, file.path, 'restore', repeated.database));
  const head = known?.head ?? (await survey(file, facts, choice, another, signal));
  const isThere = facts.target !== undefined && known === undefined;
  const live = isThere ? await estimateRows(server, target).catch(() => undefined) : known?.live;
  const plan = planRestore({
    ...choice,
    stamp: formatStamp(now()),
    nonce: randomBytes(2).toString('hex'),
    file,
    head,
    target,
    facts,
    psqlVersion: server.psql.version,
    freeBytes: await freeBytesOf(facts.room),
    fuller: await largerEarlierThan(file, config.backupDir),
    place: repeated.directory,
    live,
  });
  requirePossible(plan);
  return { plan, facts, head, another, live };
}

async function largerEarlierThan(
  file: BackupFile,
  directory: string,
): Promise<LargerEarlierBackup<Backup>[]> {
  const manifest = manifestOf(file);
  return manifest === undefined ? [] : largerEarlierBackups(directory, manifest);
}

async function survey(
  file: BackupFile,
  facts: ServerFacts,
  choice: RestoreChoice,
  another: string,
  signal: AbortSignal,
): Promise<DumpHeader> {
  try {
    const { unproven, onSurvey: onProgress } = choice;
    const options = { signal, unproven, onProgress };
    const head = await readHeader(file, createReplayFilter(facts, choice), options);
    requireGood(file, head.defects, another);
    return head;
  } catch (error) {
    signal.throwIfAborted();
    throw restoreFailure(error);
  }
}

const createReplayFilter = (
  { roles, version, superuser }: ServerFacts,
  choice: RestoreChoice,
): ReplayFilter =>
  new ReplayFilter({
    ownership: new RoleFilter({ roles, ...choice }),
    serverMajor: majorVersion(version),
    superuser,
  });

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
