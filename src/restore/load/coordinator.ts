import type { LoadUnit } from '../../dump/load-unit.ts';
import type { Outstanding } from './outstanding.ts';
import type { Done, LoadSession, Work } from './session.ts';

/** The most bytes of rows that are sent to a session ahead: two pieces, or more that are small. */
export const maxQueuedBytes = 4 * 1024 * 1024;

/** What the coordinator does is sent together up to this size. */
const batchBytes = 64 * 1024;

/**
 * Does what must be done in order, and all that belongs to tiny tables: it knows them, and sessions that
 * create things at the same time are slowed down by hearing of each other's.
 */
export class Coordinator {
  readonly session: LoadSession;
  readonly #outstanding: Outstanding;
  /** Is told what was done, and the COPY blocks that were in it, in order. */
  readonly #onDone: (blocks: readonly number[], done: Done) => void;
  /** What it gets next, and the COPY blocks in it. */
  #batch: Work[] = [];
  #blocks: number[] = [];
  #bytes = 0;
  /** Statements that all that follows must find done. */
  readonly #sent = new Set<Promise<void>>();

  constructor(
    session: LoadSession,
    outstanding: Outstanding,
    onDone: (blocks: readonly number[], done: Done) => void,
  ) {
    this.session = session;
    this.#outstanding = outstanding;
    this.#onDone = onDone;
  }

  /** Takes something, which is sent together with what follows; waits while there is too much. */
  async collect(part: LoadUnit): Promise<void> {
    if (part.type === 'rows') this.#blocks.push(part.block);
    this.#batch.push(part);
    this.#bytes += part.sql.reduce((sum, { length }) => sum + length, 0);
    if (this.#bytes <= batchBytes) return;
    this.send();
    while (this.session.load >= maxQueuedBytes) await this.#outstanding.any(this.#sent);
  }

  /** Sends what was collected. */
  send(): void {
    if (this.#batch.length === 0) return;
    const blocks = this.#blocks;
    this.#outstanding.track(this.#sent, this.session.run(...this.#batch), (done) =>
      this.#onDone(blocks, done),
    );
    this.#batch = [];
    this.#blocks = [];
    this.#bytes = 0;
  }

  /** Everything that it was given is done. */
  async drain(): Promise<void> {
    this.send();
    await this.#outstanding.all(this.#sent);
  }
}
