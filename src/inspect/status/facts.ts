import { freeBytesAt } from '../../base/free-bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { listChosen } from '../../backup-directory/catalog.ts';
import { readHistory } from '../../backup-directory/history.ts';
import { whereLatestLeads } from '../../backup-directory/latest.ts';
import { holderOf } from '../../backup-directory/lock-file.ts';
import { readMeasures, type Measures } from '../../backup-directory/accepted-loss.ts';
import { findLeftovers } from '../../backup-directory/remove.ts';
import type { Context } from '../../context.ts';
import { readNextBackup } from '../../schedule/next-run.ts';
import type { Known } from '../../base/known.ts';
import { listKept, type KeptDatabases } from '../kept-databases.ts';

/** What there is to know of backups, without reading one; each by itself, whatever else fails. */
export interface StatusFacts {
  readonly now: Date;
  readonly database: string;
  readonly directory: string;
  /** Where copies are to be (OFFSITE_URL). */
  readonly offsite: readonly string[];
  /** Percent (SUSPICIOUS_DROP). */
  readonly suspiciousDrop: number;
  /** Of all databases, oldest first. */
  readonly backups: Known<Awaited<ReturnType<typeof listChosen>>>;
  readonly history: Known<Awaited<ReturnType<typeof readHistory>>>;
  readonly measures: Known<Measures>;
  /** What `latest` points to; `nowhere` where it is there and leads to no backup. */
  readonly latest: Known<Awaited<ReturnType<typeof whereLatestLeads>>>;
  /** Who is at work. */
  readonly running: Known<Awaited<ReturnType<typeof holderOf>>>;
  readonly leftovers: Known<readonly string[]>;
  readonly freeBytes: Known<number>;
  /** When cron makes the next one; undefined where it makes none. */
  readonly nextRun: Known<Date | undefined>;
  /** What is set in this environment alone: cron's run does not have it. */
  readonly fromEnvironment: readonly string[];
  readonly kept: Known<KeptDatabases>;
}

/**
 * Collects what there is to know. What cannot be asked does not keep the rest from being told.
 * @param options with which this run finds its settings.
 */
export async function collectFacts(
  context: Context,
  options: readonly string[],
): Promise<StatusFacts> {
  const { config, now, signal } = context;
  const { backupDir: directory } = config;
  const asked = async <Value>(question: Promise<Value>): Promise<Known<Value>> =>
    question.then(
      (value) => ({ value }),
      (error: unknown) => {
        signal.throwIfAborted();
        return { unknown: messageOf(error) };
      },
    );
  const [backups, history, measures, latest, running, leftovers, freeBytes, nextRun, kept] =
    await Promise.all([
      asked(listChosen(directory, config.backupDirIsDefault)),
      asked(readHistory(directory)),
      asked(readMeasures(directory)),
      asked(whereLatestLeads(directory)),
      asked(holderOf(directory, context)),
      asked(findLeftovers(directory)),
      asked(freeBytesAt(directory)),
      asked(readNextBackup(context, options)),
      keptOf(context),
    ]);
  return {
    now: now(),
    database: config.connection.database,
    directory,
    offsite: config.offsite.urls,
    suspiciousDrop: config.retention.suspiciousDrop,
    fromEnvironment: config.fromEnvironment,
    ...{ backups, history, measures, latest, running, leftovers, freeBytes, nextRun, kept },
  };
}

async function keptOf(context: Context): Promise<Known<KeptDatabases>> {
  const found = await listKept(context);
  return 'kept' in found ? { value: found.kept } : { unknown: found.problem };
}
