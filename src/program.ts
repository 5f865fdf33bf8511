import { Command, CommanderError, Option } from 'commander';
import { addBackupCommand } from './commands/backup.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addCopyCommand } from './commands/copy.ts';
import { addDiffCommand } from './commands/diff/command.ts';
import { addDoctorCommand } from './commands/doctor/command.ts';
import { addExtractCommand } from './commands/extract.ts';
import { addHelpCommand } from './commands/help.ts';
import { addKeygenCommand } from './commands/keygen.ts';
import { addListCommand } from './commands/list/command.ts';
import { addPruneCommand } from './commands/prune/command.ts';
import { addRestoreCommand } from './commands/restore/command.ts';
import { describeSetting } from './config/settings.ts';
import { addScheduleCommand } from './commands/schedule.ts';
import { addStatusCommand } from './commands/status/command.ts';
import { shortHelp } from './cli/help.ts';
import type { GlobalFlags, Terminal } from './cli/terminal.ts';
import { addVerifyCommand } from './commands/verify/command.ts';

/** The whole command line. Commander's own errors are thrown, with their text already printed. */
export function createProgram(shell: Terminal, version: string): Command {
  const program: Command = new Command('pratiko-backup')
    .description('PostgreSQL backups: whole and verified, or not at all.')
    .version(version, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void shell.write(text),
      outputError: () => undefined, // told as every other error is
    })
    .configureHelp({ showGlobalOptions: true, formatHelp: shortHelp })
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
    .option('--json-schema', 'print the JSON Schema of that, do nothing else')
    .hook('preSubcommand', (_, command) => printSchema(program, command.name(), shell));
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
  addCompletionCommands(program, shell);
  addHelpCommand(program, shell, version);
  return program;
}

/** `--json-schema`, whatever else was given to the command. */
async function printSchema(program: Command, command: string, shell: Terminal): Promise<void> {
  if (!program.opts<GlobalFlags>().jsonSchema) return;
  const { jsonSchemaOf } = await import('./cli/schemas.ts');
  await shell.write(`${JSON.stringify(jsonSchemaOf(command), undefined, 2)}\n`);
  throw new CommanderError(0, 'jsonSchema', '');
}
