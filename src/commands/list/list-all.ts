import { keptResult } from '../../cli/kept-database.ts';
import type { ListResult } from '../../cli/results.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { serverLabel } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import { placeResult } from './offsite.ts';
import { describePlace } from './offsite-text.ts';
import { describeList } from './text.ts';

const unknown = { previous: null, rescued: null };

/** `list`: every backup, and what restores have kept on the server. */
export async function listAll(
  context: Context,
  shell: Terminal,
  isOffsite: boolean,
): Promise<void> {
  const offsite = isOffsite
    ? await (await import('../../inspect/list-places.ts')).listPlaces(context)
    : undefined;
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
  const here = describeList(backups, { previous, rescued }, context.config, shell.columns);
  const there = offsite?.map((place) => describePlace(place, backups)) ?? [];
  shell.result(result, [here, ...there].join('\n'));
}
