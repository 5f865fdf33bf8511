import { Command, Option } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addCopyCommand } from './commands/copy.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addExtractCommand } from './commands/extract.ts';
import { addKeygenCommand } from './commands/keygen.ts';
import { addListCommand } from './commands/list/command.ts';
import { addPruneCommand } from './commands/prune.ts';
import { addRestoreCommand } from './commands/restore/command.ts';
import { describeSetting } from './config/settings.ts';
import { addScheduleCommand } from './commands/schedule.ts';
import { addStatusCommand } from './commands/status/command.ts';
import type { Terminal } from './cli/terminal.ts';
import { addVerifyCommand } from './commands/verify/command.ts';

/** The whole command line. Commander's own errors are thrown, with their text already printed. */
export function createProgram(shell: Terminal, version: string): Command {
  const program = new Command('pratiko-backup')
    .description('PostgreSQL backups: whole and verified, or not at all.')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('hint: add --help to see what is accepted')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .option('--config <file>', 'settings file (default: .env of the project)')
    .addOption(new Option('--env-file <file>').hideHelp())
    .option('--backup-dir <dir>', describeSetting('backupDir'))
    .option('-q, --quiet', 'only warnings and errors')
    .option('-v, --verbose', 'also say what is looked up')
    .addOption(
      new Option('--log-format <format>', describeSetting('logFormat')).choices(['pretty', 'json']),
    )
    .option('--json', 'print the result as one JSON object to stdout')
    .addHelpText(
      'after',
      '\nSettings come from flags, the environment and .env; the README lists them all.',
    );
  addBackupCommand(program, shell);
  addRestoreCommand(program, shell);
  addVerifyCommand(program, shell);
  addPruneCommand(program, shell);
  addListCommand(program, shell);
  addDiffCommand(program, shell);
  addExtractCommand(program, shell);
  addStatusCommand(program, shell);
  addDoctorCommand(program, shell);
  addScheduleCommand(program, shell);
  addCopyCommand(program, shell);
  addKeygenCommand(program, shell);
  addHelpCommand(program);
  return program;
}

/** Commander's own shows the general help for a command that it does not know. */
function addHelpCommand(program: Command): void {
  program
    .command('help')
    .argument('[command]')
    .description('display help for command')
    .action((name: string | undefined) => {
      const named = program.commands.find((command) => command.name() === name);
      if (name !== undefined && named === undefined) {
        program.error(`error: unknown command '${name}'`);
      }
      (named ?? program).help();
    });
}
