import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { systemErrorCode } from '../base/errors.ts';
import { lockName } from './names.ts';
import { processNamespace, processStart } from './process-identity.ts';
import { readRegularFile } from './regular-file.ts';
import { storageFailure } from './storage-failure.ts';

const recordSchema = z.object({
  nonce: z.string(),
  pid: z.number(),
  hostname: z.string(),
  command: z.string(),
  since: z.iso.datetime(),
  /** See process-identity.ts; both absent where the holder's system has no /proc. */
  namespace: z.string().optional(),
  start: z.string().optional(),
});

/** Who holds a lock. */
export type LockRecord = z.infer<typeof recordSchema>;

/** A lock file as it was found. */
export interface Found {
  readonly record: LockRecord | undefined;
  /** Its holder has not written it yet, or died before. */
  readonly isEmpty: boolean;
  readonly modifiedMs: number;
}

/** How often a holder says that it lives. */
export const heartbeatMs = 2_000;

/** What a holder has not written by then, it never will. */
const writeMs = 1_000;

/** A holder whose process cannot be looked up is dead after so long without a heartbeat. */
export const silenceMs = 30_000;

/** Looks at a lock file; undefined where there is none. */
export async function inspect(path: string): Promise<Found | undefined> {
  try {
    const { mtimeMs: modifiedMs } = await stat(path);
    const text = await readRegularFile(path).then(String, (error: unknown) => {
      if (systemErrorCode(error) === 'EACCES') return undefined; // another user's run: only its heartbeat tells
      throw error;
    });
    return { record: parseRecord(text), isEmpty: text === '', modifiedMs };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw storageFailure(`read the lock ${path}`, error);
  }
}

function parseRecord(text = ''): LockRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What it takes to tell whether a holder is dead. */
export interface Judge {
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Whether the holder of a lock is dead. */
export async function isDead(path: string, found: Found, { now, signal }: Judge): Promise<boolean> {
  const { record } = found;
  if (record?.namespace !== undefined && record.namespace === (await processNamespace())) {
    return (await processStart(record.pid)) !== record.start;
  }
  if (found.isEmpty) {
    await sleep(writeMs, undefined, { signal });
    return (await inspect(path))?.isEmpty === true;
  }
  if (now().getTime() - found.modifiedMs < silenceMs) return false;
  // The clock may have jumped: only a heartbeat that stays away proves death.
  await sleep(2 * heartbeatMs, undefined, { signal });
  return (await inspect(path))?.modifiedMs === found.modifiedMs;
}

/**
 * Whose run is at work in a backup directory; undefined where none is.
 * @throws Failure `storage`.
 */
export async function holderOf(
  directory: string,
  judge: Judge,
): Promise<{ readonly command: string; readonly since: Date | undefined } | undefined> {
  const path = join(directory, lockName);
  const found = await inspect(path);
  if (found === undefined || (await isDead(path, found, judge))) return undefined;
  const { record } = found;
  return { command: record?.command ?? 'another run', since: record && new Date(record.since) };
}
