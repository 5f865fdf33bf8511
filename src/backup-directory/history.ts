import { constants, open, readdir, rename, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, systemErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { syncDirectory } from './durable-file.ts';
import {
  eventSchema,
  type CopyEvent,
  type DrillEvent,
  type HistoryEvent,
  type VerifyEvent,
} from './history-event.ts';
import { historyName, olderHistoryName } from './names.ts';
import { readRegularFile } from './regular-file.ts';
import { storageFailure } from './storage-failure.ts';

/** A history of so many bytes is put aside, and one begins anew. */
const maxBytes = 512 * 1024;

/**
 * What was done in a backup directory, oldest first. Lines that make no sense are passed over: the last one
 * can have been cut by a crash, and a later version can write others.
 * @throws Failure `storage` where the history is there and cannot be read.
 */
export async function readHistory(directory: string): Promise<HistoryEvent[]> {
  // In this order: one that is put aside meanwhile is read twice, rather than never.
  const newer = await readText(join(directory, historyName));
  const older = await readText(join(directory, olderHistoryName));
  return [...new Set(`${older}\n${newer}`.split('\n'))].flatMap((line) => {
    const parsed = eventSchema.safeParse(parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

/** A drill that tells something of its backup. */
const isDecided = (event: HistoryEvent): event is DrillEvent =>
  event.event === 'drill' && (event.outcome === 'passed' || event.outcome === 'failed');

/**
 * The last drills of backups that did not come back as they were. One that could not be tried since changes
 * nothing.
 */
export function failedDrills(history: readonly HistoryEvent[]): DrillEvent[] {
  const last = new Map<string, DrillEvent>();
  for (const event of history) {
    if (isDecided(event)) last.set(event.backup, event);
  }
  return [...last.values()].filter(({ outcome }) => outcome === 'failed');
}

/** Those that were not good when they were last read. */
export function foundBad(history: readonly HistoryEvent[]): Set<string> {
  const bad = new Set<string>();
  for (const event of history) {
    if (event.event !== 'verify') continue;
    if (event.outcome === 'bad') bad.add(event.backup);
    else bad.delete(event.backup);
  }
  return bad;
}

async function readText(path: string): Promise<string> {
  try {
    return (await readRegularFile(path)).toString();
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw storageFailure(`read ${path}`, error);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * Adds an event to the history. That it cannot be written is warned of, and changes nothing. It is not synced:
 * what a power failure takes of it is told by what lies in the directory, and of copies confirmed anew.
 */
export async function recordEvent(
  directory: string,
  event: HistoryEvent,
  log: Log,
  level: 'warn' | 'debug' = 'warn',
): Promise<void> {
  try {
    // The beginning of a run is not what a last free page is for.
    const mayCreate = event.event !== 'backup' || event.outcome !== 'started';
    await append(directory, `${JSON.stringify(event)}\n`, mayCreate);
  } catch (error) {
    log[level](
      { hint: 'check the owner and permissions of the file, and the room on its disk' },
      `${historyName} could not be written: ${messageOf(error)}`,
    );
  }
}

/**
 * The same for what was done with a backup: of a file elsewhere, no history is kept.
 * @param level how loud it is said that it cannot be written.
 */
export async function recordForBackup(
  directory: string,
  { path }: { readonly path: string },
  event: VerifyEvent | DrillEvent,
  log: Log,
  level?: 'debug',
): Promise<void> {
  if (dirname(path) === directory) await recordEvent(directory, event, log, level);
}

/** On some file systems a file never is what its name leads to. */
const attempts = 3;

/** A line goes into the file that has the name when it is written: another run may put it aside just then. */
async function append(directory: string, line: string, mayCreate = true): Promise<void> {
  const path = join(directory, historyName);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const file = await openToAppend(path, mayCreate);
    if (file === undefined) return;
    try {
      const { size, ino } = await file.stat();
      const isCut = size > 0 && !(await endsWithLineBreak(file, size));
      await file.appendFile(isCut ? `\n${line}` : line);
      if ((await inode(path)) === ino) return;
    } finally {
      await file.close();
    }
  }
}

async function openToAppend(path: string, mayCreate: boolean): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_APPEND);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return mayCreate ? open(path, 'a+', 0o600) : undefined;
  }
}

async function endsWithLineBreak(file: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

const inode = (path: string) =>
  stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );

/**
 * Puts a history aside that has grown long, in place of the one that was put aside before; drills that failed,
 * and what is copied where, are taken along. Only under the lock.
 * @throws Failure `storage`.
 */
export async function shortenHistory(directory: string): Promise<void> {
  const path = join(directory, historyName);
  try {
    if ((await stat(path)).size <= maxBytes) return;
    const history = await readHistory(directory);
    // What retention must not forget.
    const kept = [
      ...failedDrills(history),
      ...lastCopies(history, new Set(await readdir(directory))),
    ];
    await rename(path, join(directory, olderHistoryName));
    await syncDirectory(directory);
    for (const event of kept) await append(directory, `${JSON.stringify(event)}\n`);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw storageFailure(`put ${path} aside`, error);
  }
}

/** The last of each copy that is there, and of what became of others as long as the backup is here. */
function lastCopies(history: readonly HistoryEvent[], here: ReadonlySet<string>): CopyEvent[] {
  const last = new Map<string, CopyEvent>();
  for (const event of history) {
    if (event.event !== 'copy' || event.outcome === 'failed') continue;
    const key = JSON.stringify([event.to, event.backup]);
    if (event.outcome === 'fetched' && last.get(key)?.outcome === 'done') continue;
    last.set(key, event);
  }
  return [...last.values()].filter(
    ({ outcome, backup = '' }) => outcome === 'done' || here.has(backup),
  );
}
