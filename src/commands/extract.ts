import type { Command } from 'commander';
import { Failure } from '../base/errors.ts';
import { requireText, settingsFrom } from '../cli/options.ts';
import { addCommand, type CommandHelp } from '../cli/help.ts';
import type { GlobalFlags, Terminal } from '../cli/terminal.ts';

interface Flags extends GlobalFlags {
  readonly table?: string[];
  readonly schemaOnly?: true;
  readonly dataOnly?: true;
}

const help: CommandHelp = {
  does: 'print the SQL of a backup, or of some of its tables, to stdout',
  examples: [
    'pratiko-backup extract > all.sql',
    'pratiko-backup extract --table knowledge_items | psql -d rescue',
    'pratiko-backup extract 20251129_020000 --schema-only',
  ],
  exitCodes: {
    done: 'all of it was printed, and the backup is good',
    usage: 'no such table',
    noSuchBackup: 'there is no such backup, or more than one begins so',
    storage: 'the file cannot be read, or stdout not written',
    verificationFailed: 'the backup is not good: what was printed is not all of it',
  },
};

export function addExtractCommand(program: Command, shell: Terminal): void {
  addCommand(program, 'extract', help)
    .argument('[file]', 'path, name, time or `latest` (default: latest)')
    .option('--table <table...>', 'only these tables, with what they need; `*` is any letters')
    .option('--schema-only', 'definitions, no rows')
    .option('--data-only', 'rows and values of sequences, no definitions')
    .action(async (file: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      requireText(flags, 'extract', 'SQL');
      requireOnePart(flags);
      const context = await shell.open(flags, settingsFrom(flags));
      const { extract } = await import('../inspect/extract.ts');
      const part = flags.schemaOnly ? 'definition' : flags.dataOnly ? 'data' : undefined;
      const sql = extract(context, { file, tables: flags.table, part });
      for await (const piece of sql) if (!(await shell.write(piece))) break;
    });
}

function requireOnePart({ schemaOnly, dataOnly }: Flags): void {
  if (!(schemaOnly && dataOnly)) return;
  throw new Failure('usage', 'give --schema-only or --data-only, not both', {
    hint: '`pratiko-backup help extract` shows examples',
  });
}
