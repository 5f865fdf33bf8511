import { open, readFile, rename, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, systemErrorCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { syncDirectory } from './durable-file.ts';
import { historyName, olderHistoryName } from './names.ts';
import { storageFailure } from './storage-failure.ts';

const at = z.iso.datetime();

const backupEvent = z.object({
  at,
  event: z.literal('backup'),
  /** `started` without a later one of another kind: it was killed, or is at work. */
  outcome: z.enum(['started', 'done', 'incomplete', 'failed']),
  /** The database that it is of. */
  database: z.string(),
  /** The name of its file, where there is one. */
  backup: z.string().optional(),
  /** What failed, and what to do. */
  message: z.string().optional(),
  hint: z.string().optional(),
});

const verifyEvent = z.object({
  at,
  event: z.literal('verify'),
  outcome: z.enum(['good', 'bad']),
  backup: z.string(),
  /** Why it is not good. */
  message: z.string().optional(),
});

const drillEvent = z.object({
  at,
  event: z.literal('drill'),
  /** `notProven`: it could not be tried. */
  outcome: z.enum(['passed', 'failed', 'notProven']),
  backup: z.string(),
  place: z.enum(['server', 'sandbox']),
  durationMs: z.number().nonnegative(),
  message: z.string().optional(),
});

const schema = z.discriminatedUnion('event', [backupEvent, verifyEvent, drillEvent]);

/** Something that was done with a backup, and what came of it. */
export type HistoryEvent = z.infer<typeof schema>;
export type BackupEvent = z.infer<typeof backupEvent>;
export type VerifyEvent = z.infer<typeof verifyEvent>;
export type DrillEvent = z.infer<typeof drillEvent>;

/** A history of so many bytes is put aside, and one begins anew. */
const maxBytes = 512 * 1024;

/**
 * What was done in a backup directory, oldest first. Lines that make no sense are passed over: the last one
 * can have been cut by a crash, and a later version can write others.
 * @throws Failure `storage` where the history is there and cannot be read.
 */
export async function readHistory(directory: string): Promise<HistoryEvent[]> {
  const lines = [];
  for (const name of [olderHistoryName, historyName]) {
    lines.push(...(await readText(join(directory, name))).split('\n'));
  }
  // One that was written while the file was put aside is in both.
  return [...new Set(lines)].flatMap((line) => {
    const parsed = schema.safeParse(parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
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

/** Adds an event to the history, durably. That it cannot be written is warned of, and changes nothing. */
export async function recordEvent(
  directory: string,
  event: HistoryEvent,
  log: Log,
  level: 'warn' | 'debug' = 'warn',
): Promise<void> {
  try {
    await append(directory, `${JSON.stringify(event)}\n`);
  } catch (error) {
    log[level](
      { hint: 'check the owner and permissions of the file, and the room on its disk' },
      `${historyName} could not be written: ${messageOf(error)}`,
    );
  }
}

/** A line goes into the file that has the name when it is written: another run may put it aside just then. */
async function append(directory: string, line: string): Promise<void> {
  const path = join(directory, historyName);
  for (;;) {
    const file = await open(path, 'a+', 0o600);
    try {
      const { size, ino } = await file.stat();
      const isCut = size > 0 && !(await endsWithLineBreak(file, size));
      await file.appendFile(isCut ? `\n${line}` : line);
      await file.sync();
      if (size === 0) await syncDirectory(directory);
      if ((await inode(path)) === ino) return;
    } finally {
      await file.close();
    }
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
 * Puts a history aside that has grown long, in place of the one that was put aside before. Only under the lock.
 * @throws Failure `storage`.
 */
export async function shortenHistory(directory: string): Promise<void> {
  const path = join(directory, historyName);
  try {
    if ((await stat(path)).size <= maxBytes) return;
    await rename(path, join(directory, olderHistoryName));
    await syncDirectory(directory);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw storageFailure(`put ${path} aside`, error);
  }
}
