import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure, messageOf } from '../base/errors.ts';
import { maintenanceOf, execute, query, type Server } from '../postgres/psql.ts';
import { dropScratch } from './scratch.ts';
import { selectScratchDatabases } from './scratch-mark.ts';
import { Session } from '../postgres/psql-session.ts';

const pollMs = 500;

const leftoverSchema = z.object({ name: z.string(), marked: z.boolean() });

/** What became of the scratch databases of restores that were killed. */
export interface Leftovers {
  readonly dropped: readonly string[];
  /** Not certainly ours, or not ours to drop, and why. */
  readonly kept: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Lets one restore at a time work on a target, whichever machine it runs on. The server frees the
 * lock when the session ends, also when its holder is killed.
 */
export class RestoreLock implements AsyncDisposable {
  readonly #server: Server;
  readonly #session: Session;

  private constructor(server: Server, session: Session) {
    this.#server = server;
    this.#session = session;
  }

  /**
   * @param waitSeconds for another restore to end.
   * @throws Failure `locked`, `cannotConnect`.
   */
  static async acquire(server: Server, target: string, waitSeconds: number): Promise<RestoreLock> {
    const lock = new RestoreLock(server, new Session(server, maintenanceOf(server)));
    const deadline = performance.now() + waitSeconds * 1000;
    try {
      for (;;) {
        if (await lock.#tryLock(`target ${target}`)) return lock;
        if (performance.now() >= deadline) break;
        await sleep(pollMs, undefined, { signal: server.signal });
      }
      throw new Failure('locked', `another restore works on database "${target}" of this server`, {
        hint: `wait for it to end, then look at what it has done before you restore again${await lock.#holderOf(`target ${target}`)}`,
      });
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Holds nothing but a scratch database, see `claimScratch`. */
  static async ofScratch(server: Server, scratch: string): Promise<RestoreLock> {
    const lock = new RestoreLock(server, new Session(server, maintenanceOf(server)));
    try {
      await lock.claimScratch(scratch);
      return lock;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Says that a scratch database of this name is, or is about to be, in use: nobody takes it for what a
   * killed restore has left.
   * @throws Failure `locked` where another run has claimed it.
   */
  async claimScratch(scratch: string): Promise<void> {
    if (await this.#tryLock(`scratch ${scratch}`)) return;
    throw new Failure('locked', `another restore uses the scratch database "${scratch}"`, {
      hint: 'run it again: the next one has another name',
    });
  }

  /** @throws Failure `restoreFailed` where the session was ended: others may be at work now. */
  async assertHeld(): Promise<void> {
    try {
      await this.#session.ask('SELECT 1;');
    } catch (error) {
      throw new Failure(
        'restoreFailed',
        'the lock of this restore was lost: its session was ended',
        {
          hint: 'restore again',
          cause: error,
        },
      );
    }
  }

  /**
   * Drops the scratch databases of restores that were killed: no living one holds their lock. One
   * without mark was not filled yet, or is not ours.
   */
  async removeLeftovers(): Promise<Leftovers> {
    const dropped: string[] = [];
    const kept: { name: string; reason: string }[] = [];
    for (const { name } of await this.#scratchDatabases()) {
      if (!(await this.#tryLock(`scratch ${name}`))) continue;
      try {
        // If it is not there any more, its restore has just ended.
        const found = (await this.#scratchDatabases()).find((other) => other.name === name);
        if (found && (found.marked || (await isEmpty(this.#server, name)))) {
          await dropScratch(this.#server, name);
          dropped.push(name);
        } else if (found) kept.push({ name, reason: 'it is not marked as ours' });
      } catch (error) {
        this.#server.signal.throwIfAborted();
        kept.push({ name, reason: messageOf(error) });
      }
      await this.#unlock(`scratch ${name}`);
    }
    return { dropped, kept };
  }

  /** Who holds a lock, as a clause for people: a session can outlive its restore where the network broke. */
  async #holderOf(what: string): Promise<string> {
    const [holder = ''] = await this.#session.ask(
      `SELECT a.pid, format('process %s (%s, since %s)', a.pid, a.application_name, to_char(backend_start, 'YYYY-MM-DD HH24:MI'))
         FROM pg_locks JOIN pg_stat_activity AS a USING (pid)
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
          AND classid::bigint << 32 | objid::bigint = ${lockKey(what)} LIMIT 1;`,
    );
    const [, pid, who] = /^(\d+)\|(.*)$/.exec(holder) ?? [];
    if (pid === undefined) return '';
    return `; its lock is held by ${who} of the server: if no restore is alive, SELECT pg_terminate_backend(${pid})`;
  }

  #scratchDatabases() {
    return query(this.#server, maintenanceOf(this.#server), leftoverSchema, selectScratchDatabases);
  }

  async #tryLock(what: string): Promise<boolean> {
    const answer = await this.#session.ask(`SELECT pg_try_advisory_lock(${lockKey(what)});`);
    return answer[0] === 't';
  }

  async #unlock(what: string): Promise<void> {
    await this.#session.ask(`SELECT pg_advisory_unlock(${lockKey(what)});`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }
}

export function lockKey(what: string): bigint {
  const hash = createHash('sha256').update(`pratiko-backup restore ${what}`).digest();
  return hash.readBigInt64BE();
}

/** Nothing was created in it: every object that has an owner or a name is one of these (FirstNormalObjectId). */
async function isEmpty(server: Server, database: string): Promise<boolean> {
  const catalogs = ['class', 'proc', 'type', 'namespace', 'extension', 'largeobject_metadata'];
  const created = catalogs.map((name) => `SELECT FROM pg_${name} WHERE oid >= 16384`);
  const question = `SELECT EXISTS (${created.join(' UNION ALL ')});`;
  return (await execute(server, database, question)).trim() === 'f';
}
