import { InvalidArgumentError, type Command } from 'commander';
import type { Context } from '../context.ts';
import {
  addConnectionOptions,
  addJobsOption,
  addWaitOption,
  settingsFrom,
  type ConnectionFlags,
} from '../cli/options.ts';
import type { BackupResult } from '../cli/results.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly prune: boolean;
  readonly wait: number;
  readonly jobs: number;
  readonly label?: string;
  readonly keep?: true;
}

const help: CommandHelp = {
  does: 'make a backup, verified before it gets its name; apply retention',
  examples: [
    'pratiko-backup backup',
    "pratiko-backup backup --keep --label 'before migration 42'",
    'DB_NAME=aifinance_test pratiko-backup backup --no-prune',
  ],
  exitCodes: {
    done: 'the backup is good',
    incomplete: 'the backup is safe, but a step after it failed',
    locked: 'another run holds the lock',
    toolMissing: 'a PostgreSQL tool is missing or too old',
    cannotConnect: 'cannot connect, or a privilege is missing',
    storage: 'disk full, read-only, no permission',
    dumpFailed: 'the dump failed: no file was left',
    verificationFailed: 'what was written to the disk is not good: it was removed',
  },
};

export function addBackupCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'backup', help)
    .option('--label <text>', 'what `list` calls it: why it was made', labelText)
    .option('--keep', 'retention leaves this one alone (before a migration)')
    .option('--no-prune', 'keep all old backups');
  addJobsOption(command, 'blocks that are compressed at a time', shell.cores);
  addWaitOption(addConnectionOptions(command)).action(async (_flags: unknown, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    const context = await shell.open(flags, settingsFrom(flags));
    const { backup } = await import('../backup/backup.ts');
    const { jobs } = flags;
    const report = await backup(context, {
      prune: flags.prune,
      label: flags.label,
      keep: flags.keep ?? false,
      waitSeconds: flags.wait,
      jobs,
      drill: context.config.backupDrill ? async (to, file) => prove(to, file, jobs) : undefined,
    });
    const result: BackupResult = {
      backup: report.name,
      path: report.path,
      ...report.manifest,
      warning: report.warning ?? null,
      removed: [...report.removed],
    };
    shell.result(result);
  });
}

/** @throws InvalidArgumentError for what does not fit in a line of `list`. */
function labelText(text: string): string {
  const label = text.trim();
  if (label !== '' && label.length <= 100 && !/\p{Cc}/u.test(label)) return label;
  throw new InvalidArgumentError('give one line of 1 to 100 characters.');
}

/** BACKUP_DRILL=always */
async function prove(context: Context, file: string, jobs: number) {
  const { drill, requireProven } = await import('../restore/drill/drill.ts');
  requireProven(await drill(context, { file, sandbox: false, jobs }));
}
