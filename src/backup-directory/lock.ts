import { randomUUID } from 'node:crypto';
import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { formatLocalTime } from '../base/format.ts';
import { createPrivateFile } from './durable-file.ts';
import {
  heartbeatMs,
  inspect,
  isDead,
  silenceMs,
  type Found,
  type LockRecord,
} from './lock-file.ts';
import { lockName } from './names.ts';
import { processNamespace, processStart } from './process-identity.ts';
import { storageFailure } from './storage-failure.ts';

export interface LockRequest {
  readonly directory: string;
  /** The process that asks. */
  readonly pid: number;
  readonly hostname: string;
  /** For people: `backup`, `restore`. */
  readonly command: string;
  /** How long to wait for another run to end. */
  readonly waitMs: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** The right to work in a backup directory. Released when disposed of, or by the holder's death. */
export interface Lock extends AsyncDisposable {
  /** @throws Failure `locked` if another run took this one for dead, as after a long standstill. */
  assertHeld(): Promise<void>;
}

const pollMs = 200;
/**
 * Takes the lock of a backup directory: a file that names its holder. A dead holder's lock is taken
 * over: at once where its process can be looked up, else (another host or container, no /proc) when
 * its heartbeat has stopped.
 * @throws Failure `locked` that says who holds it and since when; `storage`.
 */
export async function acquireLock(request: LockRequest): Promise<Lock> {
  const path = join(request.directory, lockName);
  const deadline = performance.now() + request.waitMs;
  for (;;) {
    const record = await describeHolder(request);
    if (await create(path, record)) return hold(path, record, request.now);
    const found = await inspect(path);
    if (found === undefined) continue;
    if (await isDead(path, found, request)) {
      await removeDead(path, found, request.now);
    } else if (performance.now() >= deadline) {
      throw lockedBy(found, request.directory);
    } else {
      await sleep(pollMs, undefined, { signal: request.signal });
    }
  }
}

async function describeHolder(request: LockRequest): Promise<LockRecord> {
  return {
    nonce: randomUUID(),
    pid: request.pid,
    hostname: request.hostname,
    command: request.command,
    since: request.now().toISOString(),
    namespace: await processNamespace(),
    start: await processStart(request.pid),
  };
}

async function create(path: string, record: LockRecord): Promise<boolean> {
  try {
    const file = await createPrivateFile(path);
    try {
      await file.writeFile(JSON.stringify(record));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw storageFailure(`create the lock ${path}`, error);
  }
}

function hold(path: string, record: LockRecord, now: () => Date): Lock {
  const heartbeat = setInterval(() => {
    utimes(path, now(), now()).catch(() => undefined); // assertHeld tells whether it is still ours
  }, heartbeatMs);
  heartbeat.unref();
  const isOurs = async () => (await inspect(path))?.record?.nonce === record.nonce;
  return {
    async assertHeld() {
      if (await isOurs()) return;
      throw new Failure('locked', 'another run has taken over the lock of this one', {
        hint: 'this run was stopped for so long that it was taken for dead; run it again',
      });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(heartbeat);
      if (await isOurs().catch(() => false)) await rm(path, { force: true }).catch(() => undefined);
    },
  };
}

/** Only one contender at a time may remove a lock, and only the very lock that was judged dead. */
async function removeDead(path: string, dead: Found, now: () => Date): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await (await createPrivateFile(guard)).close();
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') {
      throw storageFailure(`take over the lock ${path}`, error);
    }
    const { mtimeMs } = await stat(guard).catch(() => ({ mtimeMs: Infinity }));
    if (now().getTime() - mtimeMs > silenceMs) await rm(guard, { force: true });
    await sleep(pollMs);
    return;
  }
  try {
    const found = await inspect(path);
    if (found?.record?.nonce === dead.record?.nonce && found?.modifiedMs === dead.modifiedMs) {
      await rm(path, { force: true });
    }
  } finally {
    await rm(guard, { force: true });
  }
}

function lockedBy({ record }: Found, directory: string): Failure {
  const who =
    record === undefined
      ? 'another run holds the lock'
      : `another run holds the lock: ${record.command}, process ${record.pid} on ${record.hostname}, since ${formatLocalTime(new Date(record.since))}`;
  return new Failure('locked', `${who} (${directory})`, {
    hint: 'let it finish, or wait for it with --wait SECONDS',
  });
}
