import type { LoadUnit } from '../../dump/load-unit.ts';
import { tableKey } from '../../dump/ordering.ts';
import type { Server } from '../../postgres/psql.ts';
import { build } from './build.ts';
import type { Task } from './build-tasks.ts';
import { Coordinator, maxQueuedBytes } from './coordinator.ts';
import { Outstanding } from './outstanding.ts';
import { waitForOwnLocks } from './own-lock-watch.ts';
import { LoadSession, type Done } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { smallTableBytes, TableStatistics, tinyTableBytes } from './statistics.ts';
import { tablesInOrder, type TablesInOrder } from './tables-in-order.ts';

/** Loading side by side has failed: in the order of the dump, it may go well. */
export class NotInParallel extends Error {
  override readonly name = 'NotInParallel';
}

export interface ParallelOptions {
  /** How many sessions load; one more does what must be done in order. */
  readonly jobs: number;
  /** Is told how many indexes and constraints are left to be built. */
  readonly onBuild: (left: number) => void;
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
  readonly #server: Server;
  readonly #database: string;
  readonly #onBuild: ParallelOptions['onBuild'];
  readonly #outstanding = new Outstanding();
  readonly #coordinator: Coordinator;
  readonly #pool: SessionPool;
  /** Rows that the pool is loading. */
  readonly #rows = new Set<Promise<void>>();
  #tasks: Task[] = [];
  /** Collected by the coordinator, while the others load. */
  readonly #statistics = new TableStatistics();
  #current: Block | undefined;
  #tablesInOrder: TablesInOrder | undefined;
  readonly #ended = new AbortController();
  /** Rows of each COPY block, as the server counted them. */
  readonly copied: number[] = [];
  inserted = 0;
  /** Rows were loaded by several sessions: in the order of the dump, it might go otherwise. */
  hasDealt = false;

  constructor(server: Server, database: string, { jobs, onBuild }: ParallelOptions) {
    this.#server = server;
    this.#database = database;
    this.#onBuild = onBuild;
    this.#pool = new SessionPool(server, database, jobs, this.#outstanding);
    const session = new LoadSession(server, database);
    this.#coordinator = new Coordinator(session, this.#outstanding, (blocks, done) => {
      this.#note(blocks, done.copied);
      this.inserted += done.inserted;
    });
    void this.#watchForOwnLocks();
  }

  /** Tables whose statistics have been collected, as the dump writes them. */
  get analyzed(): ReadonlySet<string> {
    return this.#statistics.collected;
  }

  /** Takes the next part; waits while there is no room for it. */
  async load(part: LoadUnit): Promise<void> {
    this.#outstanding.throwIfFailed();
    if (part.type === 'statement' && part.widensAnalyze) this.#statistics.leaveToTheEnd();
    if (part.type === 'rows') {
      await this.#deal(part);
    } else if (part.order?.type === 'tables') {
      await this.#drain();
      const { tables, isForeignKey } = part.order;
      this.#tasks.push({ works: [part], tables, isForeignKey });
    } else if (part.order?.type === 'independent') {
      await this.#coordinator.collect(part);
    } else {
      await this.#buildTasks();
      await this.#outstanding.all(this.#rows);
      if (part.order?.type === 'session') {
        await this.#drain();
        await Promise.all([this.#coordinator.session.run(part), this.#pool.tell(part)]);
      } else await this.#coordinator.collect(part);
    }
  }

  /** Does what is left, and ends the sessions. */
  async finish(): Promise<void> {
    await this.#buildTasks();
    await this.#drain();
    await this.#outstanding.all(this.#statistics.collecting.values());
    await Promise.all([this.#coordinator.session.end(), this.#pool.end()]);
  }

  /** Nothing of what was not finished is committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.all([this.#coordinator.session.kill(), this.#pool.kill()]);
  }

  async #watchForOwnLocks(): Promise<void> {
    if (!(await waitForOwnLocks(this.#server, this.#database, this.#ended.signal))) return;
    this.#outstanding.fail(new NotInParallel('the sessions that load wait for each other'));
    await this[Symbol.asyncDispose]();
  }

  async #deal(part: Extract<LoadUnit, { type: 'rows' }>): Promise<void> {
    await this.#buildTasks();
    this.hasDealt = true;
    const { block, table: name } = part;
    const isSmall = this.#statistics.addRows(name, part.bytes) <= smallTableBytes;
    const current = this.#current?.block === block ? this.#current : await this.#begin(part);
    const { mustBeInOrder, owner, pieces } = current;
    if (owner === this.#coordinator.session) return this.#coordinator.collect(part);
    await this.#coordinator.drain();
    // In order, rows find those of their own table that stand before them, too.
    const session = isSmall || mustBeInOrder ? owner : this.#pool.leastBusy();
    const piece = session.run(part);
    pieces.push(piece);
    this.#outstanding.track(this.#rows, piece, ({ copied }) => this.#note([block], copied));
    while ((mustBeInOrder ? session : this.#pool.leastBusy()).load >= maxQueuedBytes)
      await this.#outstanding.any(this.#rows);
  }

  #note(blocks: readonly number[], copied: readonly number[]): void {
    for (const [index, block] of blocks.entries()) {
      this.copied[block] = (this.copied[block] ?? 0) + (copied[index] ?? 0);
    }
  }

  /** Begins a COPY block: rows that may look into other tables have these loaded, and no more. */
  async #begin(part: Extract<LoadUnit, { type: 'rows' }>): Promise<Block> {
    if (this.#tablesInOrder === undefined) await this.#coordinator.drain();
    this.#tablesInOrder ??= await tablesInOrder(this.#server, this.#database);
    const mustBeInOrder =
      part.inTransaction || this.#tablesInOrder.includes(part.table, part.columns);
    if (mustBeInOrder || this.#current?.mustBeInOrder) await this.#outstanding.all(this.#rows);
    this.#analyzeCurrent();
    const isForCoordinator = part.inTransaction || this.#isTiny(part);
    this.#current = {
      block: part.block,
      key: tableKey(part.table),
      owner: isForCoordinator ? this.#coordinator.session : this.#pool.leastBusy(),
      mustBeInOrder,
      pieces: [],
    };
    return this.#current;
  }

  /** A whole tiny table, while the coordinator is not at the statistics of a large one. */
  #isTiny({ bytes }: { readonly bytes: number }): boolean {
    return bytes <= tinyTableBytes && this.#statistics.collecting.size === 0;
  }

  /** Everything that was sent is done. */
  async #drain(): Promise<void> {
    await this.#coordinator.drain();
    await this.#outstanding.all(this.#rows);
  }

  /** Builds the indexes and constraints that wait. */
  async #buildTasks(): Promise<void> {
    if (this.#tasks.length === 0) return;
    const tasks = this.#tasks;
    this.#tasks = [];
    const builders = {
      coordinator: this.#coordinator.session,
      pool: this.#pool,
      outstanding: this.#outstanding,
      statistics: this.#statistics,
      onBuild: this.#onBuild,
    };
    await build(tasks, builders, this.inserted === 0);
  }

  #analyzeCurrent(): void {
    if (this.#current === undefined) return;
    const { key, pieces, owner } = this.#current;
    const { session } = this.#coordinator;
    if (owner === session) this.#coordinator.send();
    this.#statistics.collect(
      key,
      pieces,
      (work) => session.run(work),
      (error) => this.#outstanding.fail(error),
    );
  }
}
