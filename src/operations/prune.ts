import { applyPlan, planForDirectory } from '../archive/retain.ts';
import { listBackups } from '../store/catalogue.ts';
import { requireDirectory } from '../store/directory.ts';
import { lockDirectory, type Context } from './context.ts';

export interface PruneOptions {
  readonly dryRun: boolean;
  readonly waitSeconds: number;
}

export interface PruneDecision {
  readonly name: string;
  readonly bytes: number;
  readonly action: 'keep' | 'remove';
  readonly reason: string;
}

/**
 * Applies retention to the backup directory. With `dryRun` nothing is changed and no lock is taken.
 * @returns every decision, oldest backup first.
 * @throws Failure `locked`; `storage`.
 */
export async function prune(context: Context, options: PruneOptions): Promise<PruneDecision[]> {
  const { config, log } = context;
  if (!config.backupDirIsDefault) await requireDirectory(config.backupDir);
  if (options.dryRun || (await listBackups(config.backupDir)).length === 0) {
    return (await plan(context)).map(describe);
  }
  await using _lock = await lockDirectory(context, 'prune', options.waitSeconds);
  const decisions = await plan(context);
  await applyPlan(config.backupDir, decisions, context.signal, ({ backup, reason }) =>
    log.info(`removed ${backup.name}: ${reason}`),
  );
  return decisions.map(describe);
}

const plan = ({ config, now, signal }: Context) =>
  planForDirectory(config.backupDir, { policy: config.retention, now: now(), signal });

type Planned = Awaited<ReturnType<typeof plan>>[number];

const describe = ({ backup, action, reason }: Planned): PruneDecision => ({
  name: backup.name,
  bytes: backup.bytes,
  action,
  reason,
});
