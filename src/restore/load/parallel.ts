import { setTimeout as sleep } from 'node:timers/promises';
import { ownLocks } from '../../postgres/sessions.ts';
import { tableKey, type LoadUnit } from '../../dump/load-units.ts';
import { LoadSession, type Done, type Work } from './session.ts';
import type { Server } from '../../postgres/psql.ts';
import { tablesInOrder, type TablesInOrder } from './tables-in-order.ts';
import { smallTableBytes, TableStatistics } from './statistics.ts';
import { groupTiny, TaskQueue, withWorkers, type Task } from './build-tasks.ts';

/** Two looks that show the same tell that nothing moves any more. */
const watchEveryMs = 3_000;

const passed = (ms: number, signal: AbortSignal) =>
  sleep(ms, true, { signal, ref: false }).catch(() => false);

/** Of rows, no more bytes than that are sent to a session ahead: two pieces, or more that are small. */
const maxQueuedBytes = 4 * 1024 * 1024;

/** Up to here, what belongs to a table takes less time than to give it to a session of its own. */
const tinyTableBytes = 256 * 1024;

/** What the coordinator does is sent together up to this size. */
const batchBytes = 64 * 1024;

/** Loading side by side has failed: in the order of the dump, it may go well. */
export class NotInParallel extends Error {
  override readonly name = 'NotInParallel';
}

export interface ParallelOptions {
  /** How many sessions load; one more does what must be done in order. */
  readonly jobs: number;
  /** How many indexes and constraints are left to be built. */
  readonly onBuild?: ((left: number) => void) | undefined;
}

/** A COPY block that is being dealt out. */
interface Block {
  readonly block: number;
  readonly key: string;
  /** Loads it while it is small. */
  readonly owner: LoadSession;
  readonly mustBeInOrder: boolean;
  /** What others have been given of it. */
  readonly pieces: Promise<Done>[];
}

/**
 * Loads the parts of a dump in several sessions: rows are dealt out as the sessions have room,
 * indexes and constraints of different tables are built side by side, and everything else is done
 * in the dump's order, with nothing else going on. The first error ends all sessions.
 */
export class ParallelLoader implements AsyncDisposable {
  /**
   * Does what must be done in order, and all that belongs to tiny tables: it knows them, and sessions that
   * create things at the same time are slowed down by hearing of each other's.
   */
  readonly #coordinator: LoadSession;
  /** Opened when there is work for them. */
  readonly #sessions: LoadSession[] = [];
  /** What all sessions were told, in order. */
  readonly #settings: Work[] = [];
  /** Rows that are being loaded. */
  readonly #rows = new Set<Promise<void>>();
  /** What the coordinator gets next, and the COPY blocks in it. */
  #batch: Work[] = [];
  #batchBlocks: number[] = [];
  #batchBytes = 0;
  /** Statements that all that follows must find done. */
  readonly #ordered = new Set<Promise<void>>();
  #tasks: Task[] = [];
  /** Collected by the coordinator, while the others load. */
  readonly #statistics = new TableStatistics();
  #current: Block | undefined;
  #failed: { readonly error: unknown } | undefined;
  /** Rows of each COPY block, as the server counted them. */
  readonly copied: number[] = [];
  inserted = 0;
  readonly #onBuild: ParallelOptions['onBuild'];
  readonly #ended = new AbortController();

  /** Rows were loaded by several sessions: in the order of the dump, it might go otherwise. */
  hasDealt = false;
  #tablesInOrder: TablesInOrder | undefined;
  readonly #server: Server;
  readonly #database: string;

  readonly #jobs: number;

  constructor(server: Server, database: string, { jobs, onBuild }: ParallelOptions) {
    this.#server = server;
    this.#database = database;
    this.#jobs = jobs;
    this.#onBuild = onBuild;
    this.#coordinator = new LoadSession(server, database);
    void this.#watchForOwnLocks();
  }

  /** Tables whose statistics have been collected, as the dump writes them. */
  get analyzed(): ReadonlySet<string> {
    return this.#statistics.collected;
  }

  /** Takes the next part; waits while there is no room for it. */
  async load(part: LoadUnit): Promise<void> {
    if (this.#failed) throw this.#failed.error;
    if (part.type === 'statement' && part.widensAnalyze) this.#statistics.leaveToTheEnd();
    if (part.type === 'rows') {
      await this.#deal(part);
    } else if (part.order?.type === 'tables') {
      await this.#drain();
      const { tables, isForeignKey } = part.order;
      this.#tasks.push({ works: [part], tables, isForeignKey });
    } else if (part.order?.type === 'independent') {
      await this.#collect(part);
    } else {
      await this.#buildTasks();
      await this.#all(this.#rows);
      if (part.order?.type === 'session') {
        await this.#drain();
        this.#settings.push(part);
        await Promise.all(
          [this.#coordinator, ...this.#sessions].map((session) => session.run(part)),
        );
      } else await this.#collect(part);
    }
  }

  /** Does what is left, and ends the sessions. */
  async finish(): Promise<void> {
    await this.#buildTasks();
    await this.#drain();
    await this.#all(this.#statistics.collecting.values());
    await Promise.all([this.#coordinator, ...this.#sessions].map((session) => session.end()));
  }

  /** Nothing of what was not finished is committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.all([this.#coordinator, ...this.#sessions].map((session) => session.kill()));
  }

  /**
   * A file can have transactions of its own, and then our sessions can wait for each other for ever:
   * the server knows.
   */
  async #watchForOwnLocks(): Promise<void> {
    let before = '';
    const { signal } = this.#ended;
    while (await passed(watchEveryMs, signal)) {
      const now = await ownLocks(this.#server, this.#database).catch(() => '');
      if (now !== '' && now === before) {
        this.#failed ??= { error: new NotInParallel('the sessions that load wait for each other') };
        await this[Symbol.asyncDispose]();
      }
      before = now;
    }
  }

  async #deal(part: Extract<LoadUnit, { type: 'rows' }>): Promise<void> {
    await this.#buildTasks();
    this.hasDealt = true;
    const { block, table: name } = part;
    const isSmall = this.#statistics.addRows(name, part.bytes) <= smallTableBytes;
    const current = this.#current?.block === block ? this.#current : await this.#begin(part);
    const { mustBeInOrder, owner, pieces } = current;
    if (owner === this.#coordinator) {
      this.#batchBlocks.push(block);
      await this.#collect(part);
      return;
    }
    await this.#drainCoordinator();
    // In order, rows find those of their own table that stand before them, too.
    const session = isSmall || mustBeInOrder ? owner : this.#leastBusy();
    const piece = session.run(part);
    pieces.push(piece);
    this.#track(this.#rows, piece, ({ copied }) => this.#note([block], copied));
    while ((mustBeInOrder ? session : this.#leastBusy()).load >= maxQueuedBytes)
      await this.#any(this.#rows);
  }

  #note(blocks: readonly number[], copied: readonly number[]): void {
    for (const [index, block] of blocks.entries()) {
      this.copied[block] = (this.copied[block] ?? 0) + (copied[index] ?? 0);
    }
  }

  /** Begins a COPY block: rows that may look into other tables have these loaded, and no more. */
  async #begin(part: Extract<LoadUnit, { type: 'rows' }>): Promise<Block> {
    if (this.#tablesInOrder === undefined) await this.#drainCoordinator();
    this.#tablesInOrder ??= await tablesInOrder(this.#server, this.#database);
    const mustBeInOrder =
      part.inTransaction || this.#tablesInOrder.includes(part.table, part.columns);
    if (mustBeInOrder || this.#current?.mustBeInOrder) await this.#all(this.#rows);
    this.#analyzeCurrent();
    this.#current = {
      block: part.block,
      key: tableKey(part.table),
      owner:
        part.inTransaction || this.#isForCoordinator(part) ? this.#coordinator : this.#leastBusy(),
      mustBeInOrder,
      pieces: [],
    };
    return this.#current;
  }

  /** A whole tiny table, while the coordinator is not at the statistics of a large one. */
  #isForCoordinator({ bytes }: { readonly bytes: number }): boolean {
    return bytes <= tinyTableBytes && this.#statistics.collecting.size === 0;
  }

  /** One that has nothing to do, if need be a new one; else the one that has least. */
  #leastBusy(): LoadSession {
    const free = this.#sessions.find(({ load }) => load === 0);
    if (free !== undefined) return free;
    if (this.#sessions.length < this.#jobs) return this.#open();
    return this.#sessions.reduce((best, session) => (session.load < best.load ? session : best));
  }

  #open(): LoadSession {
    const session = new LoadSession(this.#server, this.#database);
    this.#sessions.push(session);
    for (const part of this.#settings) this.#track(this.#rows, session.run(part), () => {});
    return session;
  }

  /** For the coordinator, together with what follows. */
  async #collect(part: LoadUnit): Promise<void> {
    this.#batch.push(part);
    this.#batchBytes += part.sql.reduce((sum, { length }) => sum + length, 0);
    if (this.#batchBytes <= batchBytes) return;
    this.#sendBatch();
    while (this.#coordinator.load >= maxQueuedBytes) await this.#any(this.#ordered);
  }

  #sendBatch(): void {
    if (this.#batch.length === 0) return;
    const blocks = this.#batchBlocks;
    this.#track(this.#ordered, this.#coordinator.run(...this.#batch), ({ copied, inserted }) => {
      this.#note(blocks, copied);
      this.inserted += inserted;
    });
    this.#batch = [];
    this.#batchBlocks = [];
    this.#batchBytes = 0;
  }

  async #drainCoordinator(): Promise<void> {
    this.#sendBatch();
    await this.#all(this.#ordered);
  }

  /** Everything that was sent is done. */
  async #drain(): Promise<void> {
    await this.#drainCoordinator();
    await this.#all(this.#rows);
  }

  /**
   * Builds the indexes and constraints that wait: those of one table one after the other, those of
   * large tables first, foreign keys after what they refer to.
   */
  async #buildTasks(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const bytes = ({ tables: [key = ''] }: Task) => this.#statistics.bytesOf(key);
    const sorted = this.#tasks.sort(
      (a, b) => Number(a.isForeignKey) - Number(b.isForeignKey) || bytes(b) - bytes(a),
    );
    this.#tasks = [];
    // Of tables that were filled by INSERT statements, the size is not known.
    const isTiny = (table: string) =>
      this.inserted === 0 && this.#statistics.bytesOf(table) <= tinyTableBytes;
    const queue = new TaskQueue(groupTiny(sorted, isTiny));
    const busy = new Set<LoadSession>();
    const running = new Set<Promise<void>>();
    while (queue.left > 0 || running.size > 0) {
      this.#onBuild?.(queue.left);
      const turn = this.#nextTurn(queue, busy);
      if (turn === undefined) {
        await this.#any([...running, ...this.#statistics.collecting.values()]);
        continue;
      }
      const { session, task } = turn;
      this.#statistics.note(task);
      const isAlone = queue.left === task.works.length && running.size === 0;
      busy.add(session);
      this.#track(running, session.run(...withWorkers(task, isAlone)), () => {
        busy.delete(session);
        if (!task.isAnalysis) queue.done(task);
      });
    }
  }

  /** What can be begun now, and who does it. */
  #nextTurn(
    queue: TaskQueue,
    busy: ReadonlySet<LoadSession>,
  ): { readonly session: LoadSession; readonly task: Task } | undefined {
    const tiny = busy.has(this.#coordinator) ? undefined : queue.takeTiny();
    if (tiny !== undefined) return { session: this.#coordinator, task: tiny };
    const idle = this.#sessions.find((session) => !busy.has(session));
    if (idle === undefined && this.#sessions.length === this.#jobs) return undefined;
    const task =
      queue.take(new Set(this.#statistics.collecting.keys())) ??
      this.#statistics.nextTask((table) => queue.needs(table));
    return task && { session: idle ?? this.#open(), task };
  }

  #analyzeCurrent(): void {
    if (this.#current === undefined) return;
    const { key, pieces, owner } = this.#current;
    if (owner === this.#coordinator) this.#sendBatch();
    const run = (work: Work) => this.#coordinator.run(work);
    this.#statistics.collect(key, pieces, run, (error) => {
      this.#failed ??= { error };
    });
  }

  #track(set: Set<Promise<void>>, work: Promise<Done>, onDone: (done: Done) => void): void {
    const tracked = work.then(onDone).then(
      () => void set.delete(tracked),
      (error: unknown) => {
        this.#failed ??= { error };
      },
    );
    set.add(tracked);
  }

  async #any(set: Iterable<Promise<void>>): Promise<void> {
    await Promise.race(set);
    if (this.#failed) throw this.#failed.error;
  }

  async #all(set: Iterable<Promise<void>>): Promise<void> {
    await Promise.all(set);
    if (this.#failed) throw this.#failed.error;
  }
}
