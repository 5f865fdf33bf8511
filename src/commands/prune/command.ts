import type { Command } from 'commander';
import type { Log } from '../../base/log.ts';
import type { PlaceDecisions } from '../../copies/prune.ts';
import type { AcceptedLoss, PruneDecision } from '../../retention/prune.ts';
import { confirm } from '../../cli/confirm.ts';
import { addWaitOption, settingsFrom } from '../../cli/options.ts';
import type { PruneResult } from '../../cli/results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import { describeSetting } from '../../config/settings.ts';

interface Flags extends GlobalFlags {
  readonly dryRun?: true;
  readonly retentionDays?: string;
  readonly keepMin?: string;
  readonly wait: number;
  readonly acceptLoss?: true;
  readonly yes?: true;
  readonly keep?: string[];
  readonly unkeep?: string[];
}

const help: CommandHelp = {
  does: 'remove backups that retention no longer keeps',
  examples: [
    'pratiko-backup prune --dry-run',
    'pratiko-backup prune --retention-days 30',
    'pratiko-backup prune --accept-loss',
    'pratiko-backup prune --keep 20251129_020000',
  ],
  exitCodes: {
    done: 'done',
    usage: 'wrong options or settings; not confirmed (--accept-loss)',
    incomplete: 'done here, but not with the copies elsewhere',
    noSuchBackup: 'there is no such backup (--keep, --unkeep)',
    locked: 'another run holds the lock',
    storage: 'a file cannot be removed',
  },
};

export function addPruneCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'prune', help)
    .option('--dry-run', 'only say what would be kept and removed, and why')
    .option('--accept-loss', 'no longer hold backups because much was lost since')
    .option('-y, --yes', 'do not ask (--accept-loss)')
    .option('--keep <backup...>', 'these stay, however old; then retention is applied')
    .option('--unkeep <backup...>', 'these no longer do: what is too old goes at once')
    .option('--retention-days <n>', describeSetting('retentionDays'))
    .option('--keep-min <n>', describeSetting('retentionKeepMin'));
  addWaitOption(command).action(async (_flags: unknown, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    const context = await shell.open(flags, {
      ...settingsFrom(flags),
      ...(flags.retentionDays === undefined ? {} : { retentionDays: flags.retentionDays }),
      ...(flags.keepMin === undefined ? {} : { retentionKeepMin: flags.keepMin }),
    });
    const { pruneEverywhere } = await import('../../copies/prune-everywhere.ts');
    const dryRun = flags.dryRun ?? false;
    const report = await pruneEverywhere(context, {
      dryRun,
      waitSeconds: flags.wait,
      acceptLoss: flags.acceptLoss ?? false,
      wishes: { keep: flags.keep ?? [], unkeep: flags.unkeep ?? [] },
      confirm: async (losses) => {
        for (const loss of losses) await confirmLoss(loss, flags.yes ?? false, shell, context.log);
      },
    });
    const { decisions, accepted, marked, places, failure } = report;
    if (flags.acceptLoss && accepted.length === 0) context.log.info('no backup is held for a loss');
    if (dryRun) for (const loss of accepted) announceLoss(loss, context.log);
    const result: PruneResult = {
      dryRun,
      decisions: [...decisions],
      offsite: places.map(({ url, decisions: there }) => ({ url, decisions: there.map(flat) })),
      marked: [...marked],
      accepted: accepted.map((loss) => ({ ...loss, lost: [...loss.lost] })),
    };
    const { describeDecisions } = await import('./text.ts');
    const texts = result.offsite.map(
      ({ url, decisions: there }) =>
        `\ncopies at ${url}\n${describeDecisions(there, dryRun, shell.columns)}`,
    );
    shell.result(
      result,
      [describeDecisions(decisions, dryRun, shell.columns), ...texts].join('\n'),
    );
    if (failure !== undefined) throw failure;
  });
}

const flat = ({ backup, action, reason }: PlaceDecisions['decisions'][number]): PruneDecision => ({
  name: backup.name,
  bytes: backup.bytes,
  action,
  reason,
});

/** What will be given up. */
function announceLoss({ database, lost }: AcceptedLoss, log: Log): void {
  for (const clause of lost) log.warn(`database "${database}" has lost rows: ${clause}`);
}

async function confirmLoss(
  loss: AcceptedLoss,
  yes: boolean,
  shell: Terminal,
  log: Log,
): Promise<void> {
  announceLoss(loss, log);
  const question = `Is nothing of that missing in "${loss.database}"? The backups that hold it will be removed when they are old.`;
  if (!yes) await confirm(question, loss.database, shell, log, 'to accept a loss');
}
