import type { Command } from 'commander';
import { fileOrCopy } from '../../cli/from-offsite.ts';
import { settingsFrom } from '../../cli/options.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { addCommand } from '../../cli/help.ts';
import { addRestoreOptions, requireOneWay, restoreHelp, type RestoreFlags } from './options.ts';
import { restore } from './restore.ts';
import { salvage } from './salvage.ts';
import { undo } from './undo.ts';

export function addRestoreCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'restore', restoreHelp).argument(
    '[file]',
    'path, name, time, `latest` or URL (default: latest)',
  );
  addRestoreOptions(command, shell.cores);
  command.action(async (file: string | undefined, _flags: unknown, self: Command) => {
    const flags: RestoreFlags = self.optsWithGlobals();
    requireOneWay(file, flags);
    const context = await shell.open(flags, {
      ...settingsFrom(flags),
      ...(flags.to === undefined ? {} : { database: flags.to }),
    });
    if (flags.undo) return undo(context, flags, shell);
    const place = { context, waitSeconds: flags.wait, readsThere: false };
    const found = await fileOrCopy(file, flags, place);
    if (flags.salvage) return salvage(found.file, context, flags, shell);
    // On a machine where nothing is, the roles are not there either.
    const globals = flags.globals ?? (found.hasRoles && context.config.backupGlobals);
    return restore(found, context, { ...flags, globals }, shell);
  });
}
