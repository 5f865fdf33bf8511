import { freeBytesAt } from '../base/free-bytes.ts';
import { access, constants, stat } from 'node:fs/promises';
import { formatBytes, formatCount, formatLocalTime, shellWord } from '../base/format.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { listNames } from '../backup-directory/catalog.ts';
import { holderOf } from '../backup-directory/lock-file.ts';
import { backupNamesOf, parseManifestName } from '../backup-directory/names.ts';
import { findLeftovers } from '../backup-directory/remove.ts';
import type { Context } from '../context.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/**
 * Where backups are: whether they can be written there, and lie safely.
 * @param dataDirectory of the server, where it is known and on this machine.
 */
export async function directoryChecks(
  context: Context,
  last: Backup | undefined,
  dataDirectory: string | undefined,
): Promise<Check[]> {
  const { backupDir: directory, backupDirIsDefault } = context.config;
  const stats = await stat(directory).catch(() => undefined);
  if (stats === undefined) {
    return [
      backupDirIsDefault
        ? warning('directory', `there is no ${directory} yet`, 'the first backup creates it')
        : failed(
            'directory',
            `there is no ${directory}`,
            `mount its disk, or create it: mkdir -p -m 700 ${shellWord(directory)}`,
          ),
    ];
  }
  const found: Check[] = [
    await writableCheck(directory),
    ...((stats.mode & 0o077) === 0
      ? []
      : [
          warning(
            'directory',
            `others may look into ${directory}`,
            `chmod 700 ${shellWord(directory)}`,
          ),
        ]),
    ...(stats.uid === context.uid || context.uid === 0
      ? []
      : [
          warning(
            'directory',
            `${directory} belongs to another user (${stats.uid})`,
            `run backups as that user, or: chown ${context.uid} ${shellWord(directory)}`,
          ),
        ]),
  ];
  return [
    ...found,
    await diskCheck(directory, stats.dev, dataDirectory),
    await roomCheck(directory, last),
    await lockCheck(context),
    ...(await leftoverChecks(directory)),
  ];
}

async function writableCheck(directory: string): Promise<Check> {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok('directory', directory);
  } catch {
    return failed(
      'directory',
      `${directory} cannot be written`,
      'check its owner and permissions, and that its disk is not mounted read-only',
    );
  }
}

async function diskCheck(
  directory: string,
  device: number,
  dataDirectory: string | undefined,
): Promise<Check> {
  const data = dataDirectory && (await stat(dataDirectory).catch(() => undefined));
  if (!data)
    return ok('disk', "whether it is another one than the database's cannot be told from here");
  return data.dev === device
    ? warning(
        'disk',
        `${directory} is on the disk of the database: what destroys one destroys both`,
        'set BACKUP_DIR to another disk, and copy backups to another machine',
      )
    : ok('disk', 'it is another one than that of the database');
}

async function roomCheck(directory: string, last: Backup | undefined): Promise<Check> {
  try {
    const free = await freeBytesAt(directory);
    const times = last && Math.floor(free / Math.max(last.bytes, 1));
    const message = `${formatBytes(free)} free${times === undefined ? '' : `, room for ${formatCount(times)} more`}`;
    return times !== undefined && times < 2
      ? failed('room', message, 'free some space there, or set BACKUP_DIR to a larger disk')
      : ok('room', message);
  } catch (error) {
    return failedBy('room', error);
  }
}

async function lockCheck(context: Context): Promise<Check> {
  try {
    const holder = await holderOf(context.config.backupDir, context);
    if (holder === undefined) return ok('lock', 'nobody is at work');
    const since = holder.since === undefined ? '' : ` since ${formatLocalTime(holder.since)}`;
    return ok('lock', `${holder.command} is at work${since}`);
  } catch (error) {
    return failedBy('lock', error);
  }
}

async function leftoverChecks(directory: string): Promise<Check[]> {
  try {
    const leftovers = await findLeftovers(directory);
    const names = new Set(await listNames(directory));
    const orphans = [...names].filter((name) => {
      const stamp = parseManifestName(name);
      return stamp !== undefined && !backupNamesOf(stamp).some((backup) => names.has(backup));
    });
    return [
      leftovers.length === 0
        ? ok('leftovers', 'none')
        : warning(
            'leftovers',
            `a run that was killed has left ${leftovers.join(', ')}`,
            'the next backup removes that',
          ),
      ...(orphans.length === 0
        ? []
        : [
            warning(
              'manifests',
              `${orphans.join(', ')}: there is no backup of that name`,
              'was the backup moved, or removed by hand? remove its manifest, too',
            ),
          ]),
    ];
  } catch (error) {
    return [failedBy('leftovers', error)];
  }
}
