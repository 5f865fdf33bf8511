import type { Command } from 'commander';
import { addConnectionOptions, settingsFrom, type ConnectionFlags } from '../../cli/options.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import { requireNoFile } from './offsite.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly offsite?: true;
}

const help: CommandHelp = {
  does: 'show every backup, or what is inside one',
  examples: [
    'pratiko-backup list',
    'pratiko-backup list latest',
    'pratiko-backup list --offsite',
    'pratiko-backup list --json',
  ],
  exitCodes: {
    done: 'done (also where there is no backup)',
    noSuchBackup: 'there is no such backup, or more than one begins so',
    storage: 'the directory or the file cannot be read',
  },
};

export function addListCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'list', help)
    .argument('[file]', 'path, name, time or `latest`: what is inside that one')
    .option('--offsite', 'ask each place of OFFSITE_URL, too, what it has');
  addConnectionOptions(command).action(
    async (file: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      if (flags.offsite) requireNoFile(file);
      const context = await shell.open(flags, settingsFrom(flags));
      if (file === undefined) {
        const { listAll } = await import('./list-all.ts');
        return listAll(context, shell, flags.offsite ?? false);
      }
      const { showOne } = await import('./show-one.ts');
      return showOne(context, shell, file);
    },
  );
}
