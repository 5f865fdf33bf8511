import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkArchive, firstDifference } from '../archive/read.ts';
import { applyPlan, planForDirectory } from '../archive/retain.ts';
import type { DatabaseTraits } from '../database-traits.ts';
import { DumpInspector, type DumpContents } from '../dump/contents.ts';
import { totalRows } from '../table-rows.ts';
import { Failure, messageOf } from '../errors.ts';
import { formatBytes, formatDuration, formatPlural } from '../format.ts';
import { notifySlack, type BackupNews } from '../notify/slack.ts';
import { describeDatabase, serverVersion } from '../postgres/databases.ts';
import { dumpFailure, requireNewEnough, startPgDump } from '../postgres/pg-dump.ts';
import type { Server } from '../postgres/psql.ts';
import { findTool, type Tool } from '../postgres/tools.ts';
import {
  createDraft,
  discardDraft,
  ensureDirectory,
  publishDraft,
  sealDraft,
  writeFailure,
  type Draft,
} from '../store/draft.ts';
import { pointLatest } from '../store/latest.ts';
import type { Lock } from '../store/lock.ts';
import type { Manifest } from '../store/manifest.ts';
import { formatBackupName, latestName, type Stamp } from '../store/names.ts';
import { removeLeftovers } from '../store/remove.ts';
import { storageFailure } from '../store/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';
import { gzip } from '../streams/gzip.ts';
import { configuredServer, lockDirectory, toolSearch, type Context } from './context.ts';

export interface BackupOptions {
  readonly waitSeconds: number;
  readonly prune: boolean;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface BackupProgress {
  readonly phase: 'dumping' | 'verifying';
  /** Of plain SQL while dumping, of the file while verifying. */
  readonly bytes: number;
  readonly table: string | undefined;
}

export interface BackupReport {
  readonly name: string;
  readonly path: string;
  readonly manifest: Manifest;
  /** Names of the old backups that retention removed. */
  readonly removed: readonly string[];
}

/**
 * Makes one backup: dumps, compresses, verifies what is on the disk, publishes it, points `latest`
 * to it, applies retention, tells Slack.
 * @throws Failure of any kind; what is not good is not left behind.
 */
export async function backup(context: Context, options: BackupOptions): Promise<BackupReport> {
  try {
    const report = await makeBackup(context, options);
    await tell(context, successNews(context, report));
    return report;
  } catch (thrown) {
    const error: unknown = context.signal.aborted ? context.signal.reason : thrown;
    await tell(context, failureNews(context, error));
    throw error;
  }
}

async function makeBackup(context: Context, options: BackupOptions): Promise<BackupReport> {
  const { config } = context;
  await ensureDirectory(config.backupDir, config.backupDirIsDefault);
  await using lock = await lockDirectory(context, 'backup', options.waitSeconds);
  await cleanUp(context);
  const { stamp, manifest } = await withinTimeout(context, (limited) =>
    publishBackup(limited, lock, options),
  );
  const name = formatBackupName(stamp);
  context.log.info({ backup: name, manifest }, `backup ${name} is good: ${summarise(manifest)}`);
  await moveLatest(stamp, context);
  const removed = options.prune ? await removeOld(stamp, context) : [];
  return { name, path: join(config.backupDir, name), manifest, removed };
}

/** Dumps into a draft, verifies what is on the disk, and only then gives it its name. */
async function publishBackup(
  context: Context,
  lock: Lock,
  options: BackupOptions,
): Promise<{ stamp: Stamp; manifest: Manifest }> {
  const { config, signal } = context;
  const source = await openSource(context);
  const draft = await createDraft(config.backupDir, context.now, signal);
  try {
    const written = await writeDump(draft, source, context, options);
    await sealDraft(draft);
    await verifyOnDisk(draft, written, signal, options);
    const manifest = describeBackup(source, written, context);
    await lock.assertHeld();
    signal.throwIfAborted();
    await publishDraft(draft, manifest);
    return { stamp: draft.stamp, manifest };
  } catch (error) {
    await discardDraft(draft).catch((failure: unknown) =>
      context.log.warn(`${draft.path} is left: ${messageOf(failure)}`),
    );
    throw error;
  }
}

/** Where the dump comes from. */
interface Source {
  readonly server: Server;
  readonly pgDump: Tool;
  readonly serverVersion: string;
  readonly traits: DatabaseTraits;
}

async function openSource(context: Context): Promise<Source> {
  const { config, log } = context;
  const { database, host, port, user } = config.connection;
  log.info(
    `backing up database "${database}" (${config.databaseSource}) on ${host}:${port} as "${user}"`,
  );
  const [server, pgDump] = await Promise.all([
    configuredServer(context),
    findTool('pg_dump', toolSearch(context)),
  ]);
  const [version, traits] = await Promise.all([
    serverVersion(server, database),
    describeDatabase(server, database, database),
  ]);
  requireNewEnough(pgDump, version);
  if (traits === undefined) throw new Error(`database ${database} is not in pg_database`);
  log.debug(`server ${version}, ${pgDump.path} ${pgDump.version}`);
  return { server, pgDump, serverVersion: version, traits };
}

/** What went into the draft, as it was on its way there. */
interface Written {
  readonly contents: DumpContents;
  readonly fileBytes: number;
  readonly sha256: string;
  readonly durationMs: number;
}

async function writeDump(
  draft: Draft,
  { server, pgDump }: Source,
  { config, signal }: Context,
  { onProgress }: BackupOptions,
): Promise<Written> {
  const started = performance.now();
  const inspector = new DumpInspector();
  const checksum = new Checksum();
  const dump = startPgDump(server, pgDump, config.lockWaitTimeoutSeconds);
  let bytes = 0;
  try {
    await pipeline(
      dump.stdout,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          for (const _ of inspector.read(chunk));
          bytes += chunk.length;
          onProgress?.({ phase: 'dumping', bytes, table: inspector.currentTable });
          yield chunk;
        }
        for (const _ of inspector.end());
      },
      gzip(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of checksum.through(chunks)) await draft.file.writeFile(chunk);
      },
      { signal },
    );
  } catch (error) {
    dump.kill('SIGKILL');
    await dump.ending;
    signal.throwIfAborted();
    throw await writeFailure(draft, error, checksum.bytes);
  }
  const ending = await dump.ending;
  signal.throwIfAborted();
  if (ending.exitCode !== 0) throw dumpFailure(ending, server);
  const contents = inspector.contents();
  if (contents.defect !== undefined) {
    throw new Failure('dumpFailed', `pg_dump did not write a whole dump: ${contents.defect}`, {
      hint: 'run it again; if it stays so, look at the log of the server',
    });
  }
  return {
    contents,
    fileBytes: checksum.bytes,
    sha256: checksum.sha256(),
    durationMs: performance.now() - started,
  };
}

/** Reads the draft back and compares it with what was written, byte for byte and row for row. */
async function verifyOnDisk(
  draft: Draft,
  written: Written,
  signal: AbortSignal,
  { onProgress }: BackupOptions,
): Promise<void> {
  const report = await checkArchive(
    { path: draft.path, bytes: written.fileBytes, manifest: undefined },
    {
      signal,
      onProgress: ({ readBytes, table }) =>
        onProgress?.({ phase: 'verifying', bytes: readBytes, table }),
    },
  );
  const defect =
    report.defects[0] ??
    (report.sha256 === written.sha256
      ? undefined
      : 'the disk holds other bytes than were written') ??
    firstDifference(report.contents.tables, written.contents.tables);
  if (defect === undefined) return;
  throw new Failure('verificationFailed', `the new backup is not good and was removed: ${defect}`, {
    hint: 'check the disk (`dmesg`, `smartctl`) and run it again',
  });
}

function describeBackup(source: Source, written: Written, context: Context): Manifest {
  return {
    format: 1,
    createdAt: context.now().toISOString(),
    durationMs: Math.round(written.durationMs),
    database: { name: context.config.connection.database, ...source.traits },
    dumpBytes: written.contents.bytes,
    fileBytes: written.fileBytes,
    sha256: written.sha256,
    tables: [...written.contents.tables],
    serverVersion: source.serverVersion,
    pgDumpVersion: source.pgDump.version,
    toolVersion: context.version,
  };
}

function summarise(manifest: Manifest): string {
  return [
    formatPlural(manifest.tables.length, 'table'),
    formatPlural(totalRows(manifest.tables), 'row'),
    `${formatBytes(manifest.dumpBytes)} → ${formatBytes(manifest.fileBytes)}`,
    formatDuration(manifest.durationMs),
  ].join(', ');
}

/** What a run that was killed has left is removed by the next one. */
async function cleanUp({ config, log }: Context): Promise<void> {
  const removed = await removeLeftovers(config.backupDir);
  for (const name of removed) {
    log.warn(`removed ${name}, left by a run that was interrupted`);
  }
}

async function moveLatest(stamp: Stamp, { config, log }: Context): Promise<void> {
  try {
    const aside = await pointLatest(config.backupDir, stamp);
    if (aside !== undefined) log.warn(`${latestName} was not a link; it is now ${aside}`);
  } catch (error) {
    throw storageFailure(
      `point ${latestName} to the new backup (${formatBackupName(stamp)} itself is safe)`,
      error,
    );
  }
}

async function removeOld(verified: Stamp, context: Context): Promise<string[]> {
  const { config, log, signal } = context;
  const removed: string[] = [];
  try {
    const plan = await planForDirectory(config.backupDir, {
      policy: config.retention,
      now: context.now(),
      signal,
      verified,
    });
    await applyPlan(config.backupDir, plan, signal, ({ backup: { name }, reason }) => {
      log.info(`removed ${name}: ${reason}`);
      removed.push(name);
    });
    return removed;
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure(
      'incomplete',
      `the backup is safe, but old backups could not be removed: ${messageOf(error)}`,
      { hint: 'correct it, then run `pratiko-backup prune`', cause: error },
    );
  }
}

/** Runs a part of the work that BACKUP_TIMEOUT ends. */
async function withinTimeout<Result>(
  context: Context,
  work: (limited: Context) => Promise<Result>,
): Promise<Result> {
  const seconds = context.config.backupTimeoutSeconds;
  if (seconds === undefined) return work(context);
  const limit = new AbortController();
  const interrupt = () => limit.abort(context.signal.reason);
  const expire = () =>
    limit.abort(
      new Failure('dumpFailed', `the backup took longer than ${seconds} s (BACKUP_TIMEOUT)`, {
        hint: 'see what the server is busy with, or raise BACKUP_TIMEOUT; no file was left',
      }),
    );
  const timer = setTimeout(expire, seconds * 1000);
  context.signal.addEventListener('abort', interrupt);
  try {
    return await work({ ...context, signal: limit.signal });
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener('abort', interrupt);
  }
}

async function tell({ config, log }: Context, news: BackupNews): Promise<void> {
  const { slack } = config;
  if (slack === undefined || (slack.notify === 'failure' && news.outcome === 'success')) return;
  const problem = await notifySlack(slack.url, news);
  if (problem !== undefined) log.warn(`Slack was not told: ${problem}`);
}

function successNews({ config }: Context, { name, manifest, removed }: BackupReport): BackupNews {
  return {
    outcome: 'success',
    database: databaseLabel(config),
    file: name,
    bytes: manifest.fileBytes,
    tables: manifest.tables.length,
    rows: totalRows(manifest.tables),
    durationMs: manifest.durationMs,
    removed: removed.length,
  };
}

function failureNews({ config }: Context, error: unknown): BackupNews {
  return {
    outcome: error instanceof Failure && error.kind === 'incomplete' ? 'incomplete' : 'failure',
    database: databaseLabel(config),
    error: messageOf(error),
    hint: error instanceof Failure ? error.hint : undefined,
  };
}

const databaseLabel = ({ connection: { database, host, port } }: Context['config']) =>
  `${database} on ${host}:${port}`;
