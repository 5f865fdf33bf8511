import type { Command } from 'commander';
import { keptResult } from '../../cli/kept-database.ts';
import { addConnectionOptions, settingsFrom, type ConnectionFlags } from '../../cli/options.ts';
import type { ListResult } from '../../cli/results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import { serverLabel } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import { askPlaces, placeResult, requireNoFile } from './offsite.ts';

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
      if (file === undefined) return listAll(context, shell, flags.offsite ?? false);
      const { showOne } = await import('./show-one.ts');
      return showOne(context, shell, file);
    },
  );
}

const unknown = { previous: null, rescued: null };

async function listAll(context: Context, shell: Terminal, isOffsite: boolean): Promise<void> {
  const offsite = isOffsite ? await askPlaces(context) : undefined;
  const { listAlmost, listFiles } = await import('../../inspect/list.ts');
  const { listKept } = await import('../../inspect/kept-databases.ts');
  const [backups, found] = await Promise.all([listFiles(context), listKept(context)]);
  const { backupDir, connection } = context.config;
  const where = serverLabel(connection);
  if ('problem' in found) {
    context.log.info(`what restores have kept on ${where} is not known: ${found.problem}`);
  }
  const { previous, rescued } = 'kept' in found ? found.kept : unknown;
  const almost = await listAlmost(context);
  for (const name of almost) {
    context.log.warn(
      { hint: 'to verify or restore it, give its path; rename it if it belongs here' },
      `${name} is not counted: its name is not exactly a backup's`,
    );
  }
  const result: ListResult = {
    directory: backupDir,
    backups: backups.map(({ moment, drill, suspicion, ...backup }) => ({
      ...backup,
      moment: moment.toISOString(),
      verifiedAt: backup.verifiedAt?.toISOString(),
      drill: drill && { at: drill.at.toISOString(), outcome: drill.outcome },
      suspicion: suspicion ?? null,
      encryption: backup.encryption ?? null,
      copies: [...backup.copies],
      label: backup.label ?? null,
      leftOut: [...backup.leftOut],
    })),
    totalBytes: backups.reduce((sum, { bytes }) => sum + bytes, 0),
    notCounted: almost,
    previousDatabases: previous && previous.map(keptResult),
    rescuedDatabases: rescued && [...rescued],
    ...(offsite && { offsite: offsite.map(placeResult) }),
  };
  const { describeList } = await import('./text.ts');
  const { describePlace } = await import('./offsite-text.ts');
  const here = describeList(backups, { previous, rescued }, context.config, shell.columns);
  const there = offsite?.map((place) => describePlace(place, backups)) ?? [];
  shell.result(result, [here, ...there].join('\n'));
}
