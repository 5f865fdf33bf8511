import type { Command } from 'commander';
import { totalRows } from '../../base/table-rows.ts';
import { settingsFrom } from '../../cli/options.ts';
import type { DiffResult } from '../../cli/inside-results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import type { Diff } from '../../inspect/diff.ts';

interface Flags extends GlobalFlags {
  readonly content?: true;
}

const help: CommandHelp = {
  does: 'show what has changed between two backups, a line a table',
  examples: [
    'pratiko-backup diff 20251128_020000 latest',
    'pratiko-backup diff 20251128 20251129 --content',
  ],
  exitCodes: {
    done: 'done, whatever has changed',
    noSuchBackup: 'there is no such backup, or more than one begins so',
    storage: 'a file cannot be read',
    verificationFailed: 'one is not good: its rows cannot be compared (--content)',
  },
};

export function addDiffCommand(program: Command, shell: Terminal): void {
  addCommand(program, 'diff', help)
    .argument('<A>', 'path, name, time or `latest`')
    .argument('<B>', 'the one to compare with it')
    .option('--content', 'read both, and tell which tables do not hold the same rows')
    .action(async (before: string, now: string, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      const context = await shell.open(flags, settingsFrom(flags));
      const { diff } = await import('../../inspect/diff.ts');
      const found = await diff(context, [before, now], { content: flags.content ?? false });
      for (const { file, defects } of [found.before, found.now]) {
        if (defects.length > 0) {
          context.log.warn(
            { hint: 'what is shown is what could be read of it' },
            `${file.name} is not good: ${defects.join('; ')}`,
          );
        }
      }
      const side = ({ file, tables, dumpBytes }: Diff['now']) => ({
        name: file.name,
        path: file.path,
        rows: totalRows(tables),
        dumpBytes,
      });
      const result: DiffResult = {
        before: side(found.before),
        now: side(found.now),
        tables: [...found.tables],
        differing: found.differing === undefined ? null : [...found.differing],
      };
      const { describeDiff } = await import('./text.ts');
      shell.result(result, describeDiff(found));
    });
}
