import type { Command } from 'commander';
import { formatBytes } from '../base/format.ts';
import { addWaitOption, settingsFrom } from '../cli/options.ts';
import type { CopyResult } from '../cli/results.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';

interface Flags extends GlobalFlags {
  readonly wait: number;
}

const help: CommandHelp = {
  does: 'send what is missing to OFFSITE_URL, and confirm that it is there',
  examples: ['pratiko-backup copy', 'pratiko-backup copy --wait 600'],
  exitCodes: {
    done: 'everything is there',
    usage: 'wrong options or settings; OFFSITE_URL is not set',
    incomplete: 'something could not be copied: the backups here are safe',
    locked: 'another run holds the lock',
    storage: 'the backups cannot be read',
  },
};

export function addCopyCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'copy', help);
  addWaitOption(command).action(async (_flags: unknown, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    const context = await shell.open(flags, settingsFrom(flags));
    const { copyNow } = await import('../copies/copy-now.ts');
    const { requireAllCopied } = await import('../copies/report.ts');
    const report = await copyNow(context, { waitSeconds: flags.wait });
    const result: CopyResult = {
      copied: [...report.copied],
      failed: report.failed.map((failure) => ({ ...failure, backup: failure.backup ?? null })),
    };
    shell.result(result, describe(result));
    requireAllCopied(report);
  });
}

function describe({ copied, failed }: CopyResult): string {
  const lines = [
    ...copied.map(({ backup, to, bytes }) => `${backup}  ${formatBytes(bytes)} copied to ${to}`),
    ...failed.map(({ backup, to, message }) =>
      backup === null ? `NOT COPIED to ${to}: ${message}` : `${backup}  NOT COPIED to ${to}`,
    ),
  ];
  return lines.length === 0 ? 'every good backup is there already' : lines.join('\n');
}
