import type { Command } from 'commander';
import { settingsFrom } from '../cli/options.ts';
import type { KeygenResult } from '../cli/results.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';

interface Flags extends GlobalFlags {
  readonly output: string;
}

const help: CommandHelp = {
  does: 'make a pair of keys to encrypt backups with age',
  examples: ['pratiko-backup keygen', 'pratiko-backup keygen --output /mnt/usb/key.txt'],
  exitCodes: {
    done: 'the private key is in the file, the public one was printed',
    usage: 'wrong options, or the file is there already',
    storage: 'the file cannot be written',
  },
};

export function addKeygenCommand(program: Command, shell: Terminal): void {
  addCommand(program, 'keygen', help)
    .option(
      '-o, --output <file>',
      'where the private key goes, a new file',
      'pratiko_backup_identity.txt',
    )
    .action(async (_flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const context = await shell.open(flags, settingsFrom(flags));
      const { keygen } = await import('../backup/keygen.ts');
      const keys: KeygenResult = await keygen(context, flags.output);
      shell.result(keys, describe(keys));
    });
}

const describe = ({ file, recipient }: KeygenResult) =>
  [
    `BACKUP_AGE_RECIPIENT=${recipient}`,
    '',
    `Put that line into .env; the private key is in ${file}.`,
    'Move that file to where you keep your passwords, and to a second place elsewhere:',
    'without it, nobody can ever open what is encrypted from now on.',
    'Do not leave it here, for who takes this machine would have the key with the',
    'backups, and a disk that dies would take both; to restore, bring it back and',
    'name it in BACKUP_AGE_IDENTITY_FILE.',
  ].join('\n');
