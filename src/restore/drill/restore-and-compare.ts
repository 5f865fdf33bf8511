import { digestArchive } from '../../archive/digest.ts';
import type { TableRows } from '../../base/table-rows.ts';
import { readAccess, type Context } from '../../context.ts';
import {
  compareDigests,
  requireComparable,
  type DigestComparison,
} from '../../dump/compare-digests.ts';
import { requireNewEnough } from '../../postgres/pg-dump.ts';
import { findTool } from '../../postgres/tools.ts';
import { fillScratch } from '../fill.ts';
import { requireGood } from '../load/check.ts';
import { RestoreLock } from '../lock.ts';
import { createReplayFilter } from '../replay.ts';
import { ScratchDatabase } from '../scratch.ts';
import { digestDatabase } from './digest-database.ts';
import type { DrillPlace } from './place.ts';
import { wholeBackup, type PreparedDrill } from './prepare.ts';

interface RestoreOptions {
  /** How many sessions load. */
  readonly jobs: number;
}

export interface Proof extends DigestComparison {
  /** With the rows that were restored. */
  readonly tables: readonly TableRows[];
}

/**
 * Restores what was prepared into a database of its own, and compares what arrived with what is in the file.
 * @throws Failure; BadBackup where the file is not good.
 */
export async function restoreAndCompare(
  context: Context,
  { server, tools }: Pick<DrillPlace, 'server' | 'tools'>,
  prepared: PreparedDrill,
  { jobs }: RestoreOptions,
): Promise<Proof> {
  const { config, log, onStep } = context;
  const { plan, facts, another } = prepared;
  const { file } = plan;
  const pgDump = await findTool('pg_dump', tools);
  requireNewEnough(pgDump, facts.version);
  const { digest, report } = await digestArchive(
    file,
    { ...readAccess(context), what: 'drill: reading' },
    { replay: createReplayFilter(facts, wholeBackup) },
  );
  requireGood(file, report.defects, another);
  requireComparable(file.name, digest);
  await using _lock = await RestoreLock.ofScratch(server, plan.scratch);
  await using scratch = await ScratchDatabase.create(server, log, {
    name: plan.scratch,
    create: plan.create,
    anyLocale: true,
    settings: plan.settings.before,
  });
  const filling = { ...wholeBackup, jobs, analyze: false, what: 'drill: restoring' };
  const { tables, skipped } = await fillScratch(context, server, scratch, prepared, filling);
  const restored = await digestDatabase(server, scratch.name, {
    pgDump,
    lockWaitTimeoutSeconds: config.lockWaitTimeoutSeconds,
    like: digest,
    onBytes: (bytes, table) =>
      onStep({ what: 'drill: comparing', bytes, totalBytes: file.manifest?.dumpBytes, table }),
  });
  return { tables, ...compareDigests(digest, restored, skipped.statements === 0) };
}
