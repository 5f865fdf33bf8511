import type { Command } from 'commander';
import { keptResult } from '../../cli/kept-database.ts';
import { showReading } from '../../cli/reading.ts';
import {
  addConnectionOptions,
  helpFooter,
  settingsFrom,
  type ConnectionFlags,
} from '../../cli/options.ts';
import type { DetailsResult } from '../../cli/inside-results.ts';
import type { ListResult } from '../../cli/results.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import type { Context } from '../../context.ts';
import type { Place } from '../../copies/list-copies.ts';
import { Failure } from '../../base/errors.ts';
import { describeDetails } from './details-text.ts';
import { describeList, describePlace } from './text.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly offsite?: true;
}

export function addListCommand(program: Command, shell: Terminal): void {
  const command = program
    .command('list')
    .argument('[file]', 'path, name, timestamp or `latest`: what is inside that one')
    .description('show every backup, newest first, and what restores have kept on the server')
    .option('--offsite', 'ask each place of OFFSITE_URL, too, what it has');
  addConnectionOptions(command)
    .addHelpText(
      'after',
      helpFooter(
        [
          'pratiko-backup list',
          'pratiko-backup list latest',
          'pratiko-backup list --offsite',
          'pratiko-backup list --json',
        ],
        {
          done: 'done (also where there is no backup)',
          noSuchBackup: 'there is no such backup, or more than one begins so',
          storage: 'the directory or the file cannot be read',
        },
      ),
    )
    .action(async (file: string | undefined, _flags: unknown, self: Command) => {
      const flags: Flags = self.optsWithGlobals();
      if (flags.offsite && file !== undefined) {
        throw new Failure('usage', '--offsite asks for all copies, not for one', {
          hint: '`pratiko-backup verify --from-offsite NAME` reads one',
        });
      }
      const context = await shell.open(flags, settingsFrom(flags));
      await (file === undefined
        ? listAll(context, shell, flags.offsite ?? false)
        : showOne(context, shell, file));
    });
}

const unknown = { previous: null, rescued: null };

async function listAll(context: Context, shell: Terminal, isOffsite: boolean): Promise<void> {
  const offsite = isOffsite ? await askPlaces(context) : undefined;
  const { listAlmost, listFiles } = await import('../../inspect/list.ts');
  const { listKept } = await import('../../inspect/kept-databases.ts');
  const [backups, found] = await Promise.all([listFiles(context), listKept(context)]);
  const { backupDir, connection } = context.config;
  const where = `${connection.host}:${connection.port}`;
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
    })),
    totalBytes: backups.reduce((sum, { bytes }) => sum + bytes, 0),
    notCounted: almost,
    previousDatabases: previous && previous.map(keptResult),
    rescuedDatabases: rescued && [...rescued],
    ...(offsite && { offsite: offsite.map(placeResult) }),
  };
  const here = describeList(backups, { previous, rescued }, context.config);
  const there = offsite?.map((place) => describePlace(place, backups)) ?? [];
  shell.result(result, [here, ...there].join('\n'));
}

/** `--offsite` */
async function askPlaces(context: Context): Promise<Place[]> {
  const { listCopies } = await import('../../copies/list-copies.ts');
  return listCopies(context);
}

const placeResult = ({ url, backups }: Place) =>
  'value' in backups
    ? { url, backups: backups.value.map(({ name, bytes }) => ({ name, bytes })), problem: null }
    : { url, backups: null, problem: backups.unknown };

async function showOne(context: Context, shell: Terminal, file: string): Promise<void> {
  const { describeBackup } = await import('../../inspect/details.ts');
  const details = await describeBackup(context, file, {
    onProgress: showReading(shell),
  });
  if (details.defects.length > 0) {
    context.log.warn(
      { hint: 'what is shown is what could be read of it; `pratiko-backup verify` reads another' },
      `${details.file.name} is not good: ${details.defects.join('; ')}`,
    );
  }
  const { file: found, dumpBytes, serverVersion, before } = details;
  const { manifest } = found;
  const result: DetailsResult = {
    name: found.name,
    path: found.path,
    bytes: found.bytes,
    dumpBytes,
    database: manifest?.database.name ?? null,
    createdAt: manifest?.createdAt ?? null,
    durationMs: manifest?.durationMs ?? null,
    serverVersion: serverVersion ?? null,
    pgDumpVersion: manifest?.pgDumpVersion ?? null,
    toolVersion: manifest?.toolVersion ?? null,
    tables: [...details.tables],
    extensions: [...details.extensions],
    roles: [...details.roles],
    defects: [...details.defects],
    before: before ?? null,
    changes: details.changes.filter(({ before: then, now }) => then !== now),
  };
  shell.result(result, describeDetails(details, context.now()));
}
