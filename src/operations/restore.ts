import { randomBytes } from 'node:crypto';
import { quickCheck } from '../archive/quick-check.ts';
import {
  firstDifference,
  readArchive,
  type ArchiveReport,
  type ReadProgress,
} from '../archive/read.ts';
import type { DatabaseTraits } from '../database-traits.ts';
import type { TableRows } from '../table-rows.ts';
import { OwnershipFilter, type Skipped } from '../dump/ownership.ts';
import { Replay, UnsafeDump } from '../dump/replay.ts';
import { Failure, messageOf } from '../errors.ts';
import type { KnownRoles } from '../known-roles.ts';
import {
  derivedName,
  describeDatabase,
  hasOwnSettings,
  dropDatabase,
  listRoles,
  maintenanceDatabase,
  serverVersion,
} from '../postgres/databases.ts';
import { createScratch, dropScratch } from '../postgres/scratch.ts';
import { loadDump } from '../postgres/load.ts';
import { SqlError, type Server } from '../postgres/psql.ts';
import { swapDatabases } from '../postgres/swap.ts';
import { majorVersion } from '../postgres/tools.ts';
import { locateBackup, type BackupFile } from '../store/locate.ts';
import type { Lock } from '../store/lock.ts';
import { formatStamp } from '../store/names.ts';
import { storageFailure } from '../store/storage-failure.ts';
import { configuredServer, lockDirectory, type Context } from './context.ts';

export interface RestoreOptions {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  readonly owners: boolean;
  readonly privileges: boolean;
  /** Drop the previous database after the swap. */
  readonly dropOld: boolean;
  readonly waitSeconds: number;
  /** Asks the person; throws where the answer is not yes. */
  readonly confirm: (plan: RestorePlan) => Promise<void>;
  readonly onProgress?: (progress: ReadProgress) => void;
}

/** What a restore is going to do. */
export interface RestorePlan {
  readonly file: BackupFile;
  readonly target: string;
  /** Where the dump is loaded first. */
  readonly scratch: string;
  /** The name that the present database gets; undefined where there is none. */
  readonly previous: string | undefined;
  /** For the scratch database. */
  readonly traits: DatabaseTraits | undefined;
  readonly serverVersion: string;
}

export interface RestoreReport {
  readonly plan: RestorePlan;
  readonly tables: readonly TableRows[];
  readonly skipped: Skipped;
  readonly dropped: boolean;
  readonly durationMs: number;
}

const swapTimeoutMs = 60_000;

/**
 * Restores a backup: loads it into a scratch database beside the target, checks that everything
 * arrived, and swaps the two names in one transaction.
 * @throws Failure `restoreFailed`: the target is as it was; before that `noSuchBackup`,
 *   `verificationFailed`, `cannotConnect`, `toolMissing`, `locked`. After the swap `incomplete`.
 */
export async function restore(context: Context, options: RestoreOptions): Promise<RestoreReport> {
  const file = await findFile(context, options.file);
  const server = await configuredServer(context);
  await options.confirm(await planRestore(context, server, file));
  await using _lock = await lockIfPossible(context, options.waitSeconds);
  const started = performance.now();
  const plan = await planRestore(context, server, file); // things may have changed meanwhile
  await warnOfOwnSettings(context, server, plan);
  const roles = await listRoles(server, majorVersion(plan.serverVersion));
  await createScratch(server, {
    name: plan.scratch,
    traits: plan.traits,
    roles,
    withOwner: options.owners || plan.previous !== undefined,
    anyLocale: plan.previous === undefined,
    onWarning: (message) => context.log.warn(message),
  });
  let loaded: Loaded;
  try {
    loaded = await load(context, server, plan, roles, options);
    context.signal.throwIfAborted();
    await swapIn(server, plan);
  } catch (error) {
    await removeScratch(context, server, plan.scratch);
    context.signal.throwIfAborted();
    throw restoreFailure(error);
  }
  const dropped = options.dropOld && (await dropPrevious(context, server, plan));
  return { plan, ...loaded, dropped, durationMs: performance.now() - started };
}

async function findFile(context: Context, argument: string | undefined): Promise<BackupFile> {
  const { config, cwd, log } = context;
  const { database } = config.connection;
  const found = await locateBackup(config.backupDir, argument, cwd, database);
  if (found.note !== undefined) log.warn(found.note);
  const file = found.manifest === 'unreadable' ? { ...found, manifest: undefined } : found;
  if (found.manifest === 'unreadable') {
    log.warn(`the manifest of ${found.name} makes no sense: restoring without it`);
  }
  const defect = await quickCheck(file).catch((error: unknown) => {
    throw storageFailure(`read ${file.path}`, error);
  });
  if (defect === undefined) return file;
  throw new Failure('verificationFailed', `${file.name} is not good: ${defect}`, {
    hint: 'choose another one from `pratiko-backup list`; `pratiko-backup verify --all` tells which are good',
  });
}

async function planRestore(
  { config, now }: Context,
  server: Server,
  file: BackupFile,
): Promise<RestorePlan> {
  const { database: target } = config.connection;
  if (['postgres', 'template0', 'template1'].includes(target)) {
    throw new Failure('usage', `"${target}" is a database of the server itself`, {
      hint: 'set POSTGRES_DB, DB_NAME or --to to the database to restore',
    });
  }
  const version = await serverVersion(server, maintenanceDatabase);
  const present = await describeDatabase(server, maintenanceDatabase, target);
  const stamp = formatStamp(now());
  const manifest = typeof file.manifest === 'object' ? file.manifest : undefined;
  return {
    file,
    target,
    scratch: derivedName(target, `_restore_${stamp}_${randomBytes(2).toString('hex')}`),
    previous: present && derivedName(target, `_before_${stamp}`),
    traits: present ?? manifest?.database,
    serverVersion: version,
  };
}

/**
 * Retention must not remove what is being restored. Where nobody can write there is no retention:
 * a restore from a read-only disk goes on without a lock.
 */
async function lockIfPossible(context: Context, waitSeconds: number): Promise<Lock | undefined> {
  try {
    return await lockDirectory(context, 'restore', waitSeconds);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'storage')) throw error;
    context.log.debug(`restoring without a lock: ${error.message}`);
    return undefined;
  }
}

/** From here on it happens or it does not: an interruption would leave it open which. */
async function swapIn(server: Server, plan: RestorePlan): Promise<void> {
  const signal = AbortSignal.timeout(swapTimeoutMs);
  try {
    await swapDatabases({ ...server, signal }, plan);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Failure('restoreFailed', 'the databases could not be swapped within 60 s', {
      hint: 'another session is at work on the database itself (ALTER DATABASE?): end it and restore again; the live database was not touched',
      cause: error,
    });
  }
}

async function warnOfOwnSettings(
  { log }: Context,
  server: Server,
  { target, previous }: RestorePlan,
): Promise<void> {
  if (previous === undefined || !(await hasOwnSettings(server, target))) return;
  log.warn(
    { hint: `compare them with: psql -c '\\l+' -c '\\drds', and set again what you need` },
    `settings, privileges, comment or connection limit of database "${target}" itself are in no dump: they stay with "${previous}"`,
  );
}

interface Loaded {
  readonly tables: readonly TableRows[];
  readonly skipped: Skipped;
}

/** Reads the file once: what psql loads is what is checked. */
async function load(
  { signal }: Context,
  server: Server,
  { file, scratch, serverVersion: version }: RestorePlan,
  roles: KnownRoles,
  { owners, privileges, onProgress }: RestoreOptions,
): Promise<Loaded> {
  const ownership = new OwnershipFilter({ roles, owners, privileges });
  const replay = new Replay({ ownership, serverMajor: majorVersion(version) });
  const tokens = readArchive(file, { signal, onProgress });
  let report: ArchiveReport | undefined;
  const copied = await loadDump(
    server,
    scratch,
    (async function* () {
      try {
        let next = await tokens.next();
        for (; !next.done; next = await tokens.next()) yield* replay.read(next.value);
        report = next.value;
        requireGood(file, report);
      } finally {
        await tokens.return(undefined as never);
      }
    })(),
  );
  const tables = report?.contents.tables ?? [];
  requireSameRows(tables, copied);
  return { tables, skipped: ownership.skipped };
}

function requireGood(file: BackupFile, { defects }: ArchiveReport): void {
  if (defects.length === 0) return;
  throw new Failure('restoreFailed', `${file.name} is not good: ${defects.join('; ')}`, {
    hint: 'choose another one from `pratiko-backup list`; the live database was not touched',
  });
}

function requireSameRows(tables: readonly TableRows[], copied: readonly number[]): void {
  const loaded = copied.map((rows, index) => ({ table: tables[index]?.table ?? 'unknown', rows }));
  const difference = firstDifference(loaded, tables);
  if (difference === undefined) return;
  throw new Failure(
    'restoreFailed',
    `the server did not load the rows of the backup: ${difference}`,
    { hint: 'a trigger or rule may have dropped rows; the live database was not touched' },
  );
}

async function removeScratch({ log }: Context, server: Server, scratch: string): Promise<void> {
  try {
    await dropScratch(server, scratch);
  } catch (error) {
    log.warn(
      { hint: `when the server answers again: DROP DATABASE "${scratch}"` },
      `the scratch database "${scratch}" is left: ${messageOf(error)}`,
    );
  }
}

function restoreFailure(error: unknown): unknown {
  const untouched = 'the live database was not touched';
  if (error instanceof UnsafeDump) {
    return new Failure('restoreFailed', `the dump reaches outside its database: ${error.message}`, {
      hint: `only dumps of a single database can be restored; ${untouched}`,
      cause: error,
    });
  }
  if (error instanceof SqlError) {
    return new Failure('restoreFailed', `the databases cannot be swapped: ${error.message}`, {
      hint: `stop the application (\`docker compose stop app\`) and restore again; ${untouched}`,
      cause: error,
    });
  }
  if (error instanceof Failure && error.kind !== 'restoreFailed') {
    return new Failure('restoreFailed', error.message, { hint: error.hint, cause: error });
  }
  return error;
}

async function dropPrevious(
  { log }: Context,
  server: Server,
  { previous }: RestorePlan,
): Promise<boolean> {
  if (previous === undefined) return false;
  try {
    await dropDatabase(server, previous);
    return true;
  } catch (error) {
    log.warn(
      { hint: `DROP DATABASE "${previous}" when nothing uses it any more` },
      `the restore is done, but the previous database could not be dropped: ${messageOf(error)}`,
    );
    return false;
  }
}
