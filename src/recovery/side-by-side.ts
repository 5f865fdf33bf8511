import { setTimeout as sleep } from 'node:timers/promises';
import { ownLocks } from '../postgres/sessions.ts';
import { tableKey, type Part } from '../dump/parts.ts';
import { LoadSession, type Done, type Work } from '../postgres/load-session.ts';
import type { Server } from '../postgres/psql.ts';
import { tablesInOrder, type TablesInOrder } from '../postgres/tables-in-order.ts';
import { smallTableBytes, TableStatistics } from './table-statistics.ts';
import { TaskQueue, withoutWorkers, withWorkers, type Task } from './tasks.ts';

/** Two looks that show the same tell that nothing moves any more. */
const watchEveryMs = 3_000;

const passed = (ms: number, signal: AbortSignal) =>
  sleep(ms, true, { signal, ref: false }).catch(() => false);

/** Of rows, no more than that is sent to a session ahead of what it is loading. */
const ahead = 2;

/** The same for batches of statements, which are small. */
const batchesAhead = 16;

/** Statements are sent together up to this size. */
const batchBytes = 64 * 1024;

/** Loading side by side has failed: in the order of the dump, it may go well. */
export class NotSideBySide extends Error {
  override readonly name = 'NotSideBySide';
}

export interface SideBySideOptions {
  /** How many sessions load; one more does what must be done in order. */
  readonly jobs: number;
  /** How many indexes and constraints are left to be built. */
  readonly onBuild?: ((left: number) => void) | undefined;
}

/**
 * Loads the parts of a dump in several sessions: rows are dealt out as the sessions have room,
 * indexes and constraints of different tables are built side by side, and everything else is done
 * in the dump's order, with nothing else going on. The first error ends all sessions.
 */
export class SideBySide implements AsyncDisposable {
  /** Does what must be done in order. */
  readonly #leader: LoadSession;
  readonly #sessions: readonly LoadSession[];
  /** Rows that are being loaded. */
  readonly #rows = new Set<Promise<void>>();
  #batch: Buffer[] = [];
  #batchLine = 1;
  #batchLines = 0;
  #batchBytes = 0;
  /** Statements that all that follows must find done. */
  readonly #ordered = new Set<Promise<void>>();
  #tasks: Task[] = [];
  /** Collected by the leader, while the others load. */
  readonly #statistics = new TableStatistics();
  /** The COPY block that is being dealt out, and the session that loads it while it is small. */
  #current:
    | {
        readonly block: number;
        readonly key: string;
        readonly owner: LoadSession;
        readonly mustBeInOrder: boolean;
        readonly pieces: Promise<Done>[];
      }
    | undefined;
  #failed: { readonly error: unknown } | undefined;
  /** Rows of each COPY block, as the server counted them. */
  readonly copied: number[] = [];
  inserted = 0;
  readonly #onBuild: SideBySideOptions['onBuild'];
  readonly #ended = new AbortController();

  /** Rows were loaded by several sessions: in the order of the dump, it might go otherwise. */
  hasDealt = false;
  #tablesInOrder: TablesInOrder | undefined;
  readonly #server: Server;
  readonly #database: string;

  private constructor(
    at: { readonly server: Server; readonly database: string },
    leader: LoadSession,
    sessions: readonly LoadSession[],
    onBuild: SideBySideOptions['onBuild'],
  ) {
    this.#server = at.server;
    this.#database = at.database;
    this.#leader = leader;
    this.#sessions = sessions;
    this.#onBuild = onBuild;
  }

  static async open(
    server: Server,
    database: string,
    options: SideBySideOptions,
  ): Promise<SideBySide> {
    const loader = await SideBySide.#openSessions(server, database, options);
    void loader.#watchForOwnLocks();
    return loader;
  }

  static async #openSessions(
    server: Server,
    database: string,
    { jobs, onBuild }: SideBySideOptions,
  ): Promise<SideBySide> {
    const sessions: LoadSession[] = [];
    try {
      for (let job = 0; job < jobs; job += 1) sessions.push(new LoadSession(server, database));
      const at = { server, database };
      return new SideBySide(at, new LoadSession(server, database), sessions, onBuild);
    } catch (error) {
      await Promise.all(sessions.map((session) => session.kill()));
      throw error;
    }
  }

  /** Tables whose statistics have been collected, as the dump writes them. */
  get analyzed(): ReadonlySet<string> {
    return this.#statistics.collected;
  }

  /** Takes the next part; waits while there is no room for it. */
  async load(part: Part): Promise<void> {
    if (this.#failed) throw this.#failed.error;
    if (part.type === 'statement' && part.widensAnalyze) this.#statistics.leaveToTheEnd();
    if (part.type === 'rows') {
      await this.#deal(part);
    } else if (part.order?.type === 'tables') {
      await this.#settle();
      this.#tasks.push({ ...part, ...part.order });
    } else if (part.order?.type === 'independent') {
      await this.#collect(part);
    } else {
      await this.#buildTasks();
      await this.#all(this.#rows);
      if (part.order?.type === 'session') {
        await this.#settle();
        await Promise.all([this.#leader, ...this.#sessions].map((session) => session.run(part)));
      } else await this.#collect(part);
    }
  }

  /** Does what is left, and ends the sessions. */
  async finish(): Promise<void> {
    await this.#buildTasks();
    await this.#settle();
    await this.#all(this.#statistics.collecting.values());
    await Promise.all([this.#leader, ...this.#sessions].map((session) => session.end()));
  }

  /** Nothing of what was not finished is committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.all([this.#leader, ...this.#sessions].map((session) => session.kill()));
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
        this.#failed ??= { error: new NotSideBySide('the sessions that load wait for each other') };
        await this[Symbol.asyncDispose]();
      }
      before = now;
    }
  }

  async #deal(part: Extract<Part, { type: 'rows' }>): Promise<void> {
    await this.#buildTasks();
    this.#sendBatch();
    await this.#all(this.#ordered);
    const { block, table: name } = part;
    const isSmall = this.#statistics.addRows(name, part.bytes) <= smallTableBytes;
    if (this.#current?.block !== block) await this.#begin(part);
    if (this.#current === undefined) return;
    // In order, rows find those of their own table that stand before them, too.
    const { mustBeInOrder, owner, pieces } = this.#current;
    const session = isSmall || mustBeInOrder ? owner : this.#freest();
    const piece = session.run(part);
    this.hasDealt = true;
    pieces.push(piece);
    this.#track(this.#rows, piece, ({ copied }) => {
      this.copied[block] = (this.copied[block] ?? 0) + copied;
    });
    while ((mustBeInOrder ? session : this.#freest()).load >= ahead) await this.#any(this.#rows);
  }

  /** Begins a COPY block: rows that may look into other tables have these loaded, and no more. */
  async #begin(part: Extract<Part, { type: 'rows' }>): Promise<void> {
    this.#tablesInOrder ??= await tablesInOrder(this.#server, this.#database);
    const mustBeInOrder =
      part.inTransaction || this.#tablesInOrder.includes(part.table, part.columns);
    if (mustBeInOrder || this.#current?.mustBeInOrder) await this.#all(this.#rows);
    this.#analyzeCurrent();
    this.#current = {
      block: part.block,
      key: tableKey(part.table),
      owner: part.inTransaction ? this.#leader : this.#freest(),
      mustBeInOrder,
      pieces: [],
    };
  }

  #freest(): LoadSession {
    return this.#sessions.reduce((best, session) => (session.load < best.load ? session : best));
  }

  /** For the leader, together with what follows. */
  async #collect(part: Extract<Part, { type: 'statement' }>): Promise<void> {
    if (this.#batch.length === 0) this.#batchLine = part.line;
    this.#batch.push(...part.sql);
    this.#batchLines += part.lines;
    this.#batchBytes += part.sql.reduce((sum, { length }) => sum + length, 0);
    if (this.#batchBytes <= batchBytes) return;
    this.#sendBatch();
    while (this.#ordered.size >= batchesAhead) await this.#any(this.#ordered);
  }

  #sendBatch(): void {
    if (this.#batch.length === 0) return;
    this.#track(
      this.#ordered,
      this.#leader.run({ sql: this.#batch, line: this.#batchLine, lines: this.#batchLines }),
      ({ inserted }) => {
        this.inserted += inserted;
      },
    );
    this.#batch = [];
    this.#batchLines = 0;
    this.#batchBytes = 0;
  }

  /** Everything that was sent is done. */
  async #settle(): Promise<void> {
    this.#sendBatch();
    await this.#all(this.#rows);
    await this.#all(this.#ordered);
  }

  /**
   * Builds the indexes and constraints that wait: those of one table one after the other, those of
   * large tables first, foreign keys after what they refer to.
   */
  async #buildTasks(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const bytes = ({ tables: [key = ''] }: Task) => this.#statistics.bytesOf(key);
    const queue = new TaskQueue(
      this.#tasks.sort(
        (a, b) => Number(a.isForeignKey) - Number(b.isForeignKey) || bytes(b) - bytes(a),
      ),
    );
    this.#tasks = [];
    const idle = new Set(this.#sessions);
    const running = new Set<Promise<void>>();
    while (queue.left > 0 || running.size > 0) {
      this.#onBuild?.(queue.left);
      const [session] = idle;
      const task =
        session &&
        (queue.take(new Set(this.#statistics.collecting.keys())) ??
          this.#statistics.nextTask((table) => queue.needs(table)));
      if (session === undefined || task === undefined) {
        await this.#any([...running, ...this.#statistics.collecting.values()]);
        continue;
      }
      this.#statistics.note(task);
      const isAlone = queue.left === 1 && running.size === 0;
      idle.delete(session);
      this.#track(running, session.run(isAlone ? withWorkers(task) : withoutWorkers(task)), () => {
        if (!task.isAnalysis) queue.done(task);
        idle.add(session);
      });
    }
  }

  #analyzeCurrent(): void {
    if (this.#current === undefined) return;
    const { key, pieces } = this.#current;
    const run = (work: Work) => this.#leader.run(work);
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
