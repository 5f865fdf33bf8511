import { Argument, type Command } from 'commander';
import { Failure } from '../base/errors.ts';
import { bashCompletion } from '../cli/bash-completion.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import { requireText, settingsFrom } from '../cli/options.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';

const help: CommandHelp = {
  does: 'print the script with which a shell completes commands and names',
  examples: [
    'source <(pratiko-backup completion bash)  # in ~/.bashrc',
    'source <(pratiko-backup completion zsh)   # in ~/.zshrc, behind compinit',
    'pratiko-backup completion fish | source   # in ~/.config/fish/config.fish',
  ],
  exitCodes: { done: 'the script was printed', usage: 'there is no script for that shell' },
};

/** `completion`, and `complete`, which the scripts call. */
export function addCompletionCommands(program: Command, shell: Terminal): void {
  addCommand(program, 'completion', help)
    .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish']))
    .action(async (name: string, _flags: unknown, self: Command) => {
      requireText(self.optsWithGlobals(), 'completion', 'a script');
      if (name === 'bash') {
        await shell.write(bashCompletion(program.name()));
        return;
      }
      const { script } = await import('@bomb.sh/tab');
      script(name, program.name(), program.name());
    });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => complete(words, program, shell));
}

async function complete(typed: string[], program: Command, shell: Terminal): Promise<void> {
  const { describeTo, isPath, separated, withOneValue } = await import('../cli/complete.ts');
  const words = separated(typed);
  if (isPath(program, words)) {
    await shell.write(':0\n'); // the shell completes paths
    return;
  }
  const { default: root } = await import('@bomb.sh/tab');
  const { backups, tables } = await valuesFor(words, shell);
  // A backup is offered once: by its time, or by the name that is being typed.
  const isName = words.at(-1)?.startsWith('p') === true;
  const called = backups.filter(({ word }) => word.startsWith('p') === isName);
  describeTo(root, program, words, { backups: called, tables });
  root.parse(withOneValue(program, words));
}

/** Where the settings are wrong, what is fixed can be completed all the same. */
async function valuesFor(words: readonly string[], shell: Terminal) {
  const config = valueOf('--config', words);
  const backupDir = valueOf('--backup-dir', words);
  const flags: GlobalFlags = {
    quiet: true,
    ...(config !== undefined && { config }),
    ...(backupDir !== undefined && { backupDir }),
  };
  try {
    const context = await shell.open(flags, settingsFrom(flags));
    const { completions } = await import('../inspect/completions.ts');
    return await completions(context);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { backups: [], tables: [] };
  }
}

const valueOf = (option: string, words: readonly string[]) =>
  words.includes(option) ? words[words.indexOf(option) + 1] : undefined;
