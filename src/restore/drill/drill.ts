import { Failure, messageOf } from '../../base/errors.ts';
import type { BackupFile } from '../../backup-directory/backup.ts';
import { recordForBackup } from '../../backup-directory/history.ts';
import type { DrillEvent } from '../../backup-directory/history-event.ts';
import type { Context } from '../../context.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { locateDump, requireIdentified } from '../locate-dump.ts';
import { drillFailure } from './failure.ts';
import { inSandbox } from './in-sandbox.ts';
import { onServer } from './place.ts';
import { prepareDrill } from './prepare.ts';
import { restoreAndCompare, type Proof } from './restore-and-compare.ts';

export interface DrillOptions {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  /** In a throw-away cluster on this machine instead of the configured server. */
  readonly sandbox: boolean;
  /** How many sessions load. */
  readonly jobs: number;
}

/** What a backup proved to be when it was restored. */
export interface DrillReport extends Proof {
  readonly name: string;
  readonly path: string;
  readonly place: DrillEvent['place'];
  readonly durationMs: number;
}

/**
 * Restores a backup into a database of its own, dumps that again, and compares what it holds with what is
 * in the backup; then drops it. What came of it is added to the history.
 * @returns also where it is not the same: see its `differences`.
 * @throws Failure `verificationFailed` where the backup itself is not good; any other kind where it could
 *   not be tried ("not proven").
 */
export async function drill(context: Context, options: DrillOptions): Promise<DrillReport> {
  const file = await locateDump(context, options.file);
  const place = options.sandbox ? 'sandbox' : 'server';
  const started = performance.now();
  const record = (outcome: DrillEvent['outcome'], message?: string) =>
    recordDrill(context, file, {
      outcome,
      place,
      durationMs: Math.round(performance.now() - started),
      ...(message !== undefined && { message }),
    });
  try {
    const proof = await prove(context, file, options);
    const differences = summarize(proof.differences);
    await (differences === '' ? record('passed') : record('failed', differences));
    const { name, path } = file;
    return { name, path, place, ...proof, durationMs: performance.now() - started };
  } catch (thrown) {
    const error: unknown = context.signal.aborted ? context.signal.reason : drillFailure(thrown);
    const isFailed = error instanceof Failure && error.kind === 'verificationFailed';
    const tried = context.signal.aborted ? 'interrupted' : 'notProven';
    await record(isFailed ? 'failed' : tried, messageOf(error));
    throw error;
  }
}

/** @throws Failure `verificationFailed` where what was restored is not what the backup holds. */
export function requireProven(report: DrillReport): void {
  const failure = notTheSame(report);
  if (failure !== undefined) throw failure;
}

/** What was restored that the backup does not hold so; undefined where all is the same. */
export function notTheSame({ name, differences }: DrillReport): Failure | undefined {
  if (differences.length === 0) return undefined;
  const message = `${name} does not come back as it is: ${summarize(differences)}`;
  return new Failure('verificationFailed', message, {
    hint: 'the backup was not changed; look at it in a database beside: `pratiko-backup restore FILE --to NEW_DATABASE`',
  });
}

/** So many differences are told. */
const told = 20;

function summarize(differences: readonly string[]): string {
  const more = differences.length - told;
  return [...differences.slice(0, told), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

async function prove(context: Context, file: BackupFile, options: DrillOptions): Promise<Proof> {
  await requireIdentified(context, file);
  await using place = options.sandbox ? await inSandbox(context, file) : await onServer(context);
  const prepared = await prepareDrill(context, place, file);
  context.log.info(
    `restoring ${file.name} into a database of its own on ${place.name}, to compare it`,
  );
  try {
    return await restoreAndCompare(context, place, prepared, options);
  } catch (error) {
    context.signal.throwIfAborted();
    throw await explainRefusal(error, prepared, context);
  }
}

async function recordDrill(
  { config, log, now }: Context,
  file: BackupFile,
  event: Omit<DrillEvent, 'at' | 'event' | 'backup' | 'database'>,
): Promise<void> {
  const { name: backup, manifest } = file;
  const of = manifest && { database: manifest.database.name };
  const at = now().toISOString();
  const drilled: DrillEvent = { at, event: 'drill', backup, ...of, ...event };
  await recordForBackup(config.backupDir, file, drilled, log);
}
