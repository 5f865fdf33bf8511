import type { Command } from 'commander';
import { settingsFrom } from '../../cli/options.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { addRestoreOptions, requireOneWay, type RestoreFlags } from './options.ts';
import { restore } from './restore.ts';
import { salvage } from './salvage.ts';
import { undo } from './undo.ts';

export function addRestoreCommand(program: Command, shell: Terminal): void {
  const command = program
    .command('restore')
    .argument('[file]', 'path, name, timestamp or `latest` (default: the latest backup)')
    .description(
      'load a backup beside the live database, check it, swap it in; the previous database is kept',
    );
  addRestoreOptions(command, shell.cores);
  command.action(async (file: string | undefined, _flags: unknown, self: Command) => {
    const flags: RestoreFlags = self.optsWithGlobals();
    requireOneWay(file, flags);
    const context = await shell.open(flags, {
      ...settingsFrom(flags),
      ...(flags.to === undefined ? {} : { database: flags.to }),
    });
    if (flags.undo) await undo(context, flags, shell);
    else if (flags.salvage) await salvage(file, context, flags, shell);
    else await restore(file, context, flags, shell);
  });
}
