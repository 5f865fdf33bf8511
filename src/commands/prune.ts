import type { Command } from 'commander';
import { formatBytes, formatPlural } from '../format.ts';
import type { PruneDecision } from '../operations/prune.ts';
import { addWaitOption, helpEnd, settingsFrom } from './options.ts';
import type { GlobalFlags, Shell } from './shell.ts';
import { formatTable } from './table.ts';

interface Flags extends GlobalFlags {
  readonly dryRun?: true;
  readonly retentionDays?: string;
  readonly keepMin?: string;
  readonly wait: number;
}

export function addPruneCommand(program: Command, shell: Shell): void {
  const command = program
    .command('prune')
    .description('remove backups that retention no longer keeps')
    .option('--dry-run', 'only say what would be kept and removed, and why')
    .option('--retention-days <n>', 'calendar days to keep (RETENTION_DAYS)')
    .option('--keep-min <n>', 'good backups that always remain (RETENTION_KEEP_MIN)');
  addWaitOption(command)
    .addHelpText(
      'after',
      helpEnd(
        ['pratiko-backup prune --dry-run', 'pratiko-backup prune --retention-days 30'],
        ['0   done', '11  another run holds the lock', '14  a file cannot be removed'],
      ),
    )
    .action(async (_flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const context = await shell.open(flags, {
        ...settingsFrom(flags),
        ...(flags.retentionDays === undefined ? {} : { retentionDays: flags.retentionDays }),
        ...(flags.keepMin === undefined ? {} : { retentionKeepMin: flags.keepMin }),
      });
      const { prune } = await import('../operations/prune.ts');
      const dryRun = flags.dryRun ?? false;
      const decisions = await prune(context, { dryRun, waitSeconds: flags.wait });
      shell.result({ dryRun, decisions }, describe(decisions, dryRun));
    });
}

function describe(decisions: readonly PruneDecision[], dryRun: boolean): string {
  const removed = decisions.filter(({ action }) => action === 'remove');
  const bytes = removed.reduce((sum, decision) => sum + decision.bytes, 0);
  const total = `${dryRun ? 'would remove' : 'removed'} ${removed.length} of ${formatPlural(decisions.length, 'backup')} (${formatBytes(bytes)})`;
  if (decisions.length === 0) return total;
  return `${formatTable(decisions.map(({ action, name, reason }) => [action, name, reason]))}\n${total}`;
}
