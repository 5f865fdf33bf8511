import type { Command } from 'commander';
import leven from 'leven';
import { longHelp } from '../cli/help.ts';
import { requireText } from '../cli/options.ts';
import type { Terminal } from '../cli/terminal.ts';

/** Commander's own shows the general help for a command that it does not know. */
export function addHelpCommand(program: Command, shell: Terminal, version: string): void {
  program
    .command('help')
    .argument('[command]')
    .description('all options of a command, more examples, the exit codes')
    .option('--man', 'print the manual page, for man(1)')
    .action(async (name: string | undefined, { man }: { readonly man?: true }, self: Command) => {
      requireText(self.optsWithGlobals(), 'help', 'text');
      const named = program.commands.find((command) => command.name() === name);
      if (name !== undefined && named === undefined) {
        const names = program.commands.map((command) => command.name());
        const near = names.find((each) => leven(each, name) <= 2);
        const meant = near === undefined ? '' : `\n(Did you mean ${near}?)`;
        program.error(`error: unknown command '${name}'${meant}`);
      }
      if (man) {
        const { manPage } = await import('../cli/man-page.ts');
        await shell.write(manPage(program, version));
      } else {
        await shell.write(named === undefined ? program.helpInformation() : longHelp(named));
      }
    });
}
