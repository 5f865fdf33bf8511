import { randomBytes } from 'node:crypto';
import { largerEarlierBackups } from '../backup-directory/larger-earlier-backup.ts';
import type { ReadProgress } from '../archive/reader.ts';
import { readHeader, type DumpHeader } from '../archive/header.ts';
import { RoleFilter } from '../dump/role-filter.ts';
import { ReplayFilter } from '../dump/replay-filter.ts';
import type { Server } from '../postgres/psql.ts';
import { estimateRows, surveyServer, type ServerFacts } from './server-facts.ts';
import { majorVersion } from '../postgres/tools.ts';
import { restoreFailure } from './failure.ts';
import type { LiveRows } from './comparison.ts';
import { requirePossible } from './finding.ts';
import { requireGood } from './load/load.ts';
import { locateDump, requireRestorable } from './locate-dump.ts';
import { planRestore, type RestorePlan } from './plan.ts';
import { freeBytesOf } from './disk-space.ts';
import type { LargerEarlierBackup } from '../backup-directory/row-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { useAnother } from '../backup-directory/locate.ts';
import { formatStamp } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import { requireOwnDatabase } from './target.ts';

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

/** A plan, and what it was made from. */
export interface Prepared {
  readonly plan: RestorePlan;
  readonly facts: ServerFacts;
  readonly head: DumpHeader;
  /** What to do where the file is not good, for people. */
  readonly another: string;
  /** Rows of the present database. */
  readonly live: readonly LiveRows[] | undefined;
}

/**
 * Finds the file to restore.
 * @throws Failure `noSuchBackup`, `verificationFailed`, `storage`; `usage` for a database of the server itself.
 */
export async function locate(
  context: Context,
  { file, unproven }: RestoreChoice,
): Promise<BackupFile> {
  requireOwnDatabase(context);
  const found = await locateDump(context, file);
  return requireRestorable(context, found, unproven);
}

/**
 * Collects what there is to know, before anything is done, and plans the restore.
 * @param makeRoom removes what stands in the way on the server, before room is judged.
 * @param known what was found before, and does not change.
 * @throws Failure `restoreFailed` with everything at once that stands in the way; `cannotConnect`, `storage`.
 */
export async function prepare(
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
  const { manifest } = file;
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

/** What is replayed of a dump on a server. */
export const createReplayFilter = (
  { roles, version, superuser }: ServerFacts,
  choice: RestoreChoice,
): ReplayFilter =>
  new ReplayFilter({
    ownership: new RoleFilter({ roles, ...choice }),
    serverMajor: majorVersion(version),
    superuser,
  });
