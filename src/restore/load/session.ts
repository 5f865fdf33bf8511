import type { Child } from '../../base/subprocess.ts';
import { loadFailure, type LineOffset } from './failure.ts';
import { readTag, startLoader, type Server } from '../../postgres/psql.ts';
import { done, PsqlProtocol } from '../../postgres/psql-protocol.ts';

/** Some SQL for a session, and where it is from. */
export interface Work {
  readonly sql: readonly Buffer[];
  /** The line of the dump with which it begins, from 1. */
  readonly line: number;
  /** How many it has. */
  readonly lines: number;
}

/** What the least work counts for: a statement costs as much as so many bytes of rows. */
const leastBytes = 64 * 1024;

/** What the server answered to some work. */
export interface Done {
  /** Rows of each COPY statement. */
  readonly copied: readonly number[];
  /** Rows of INSERT statements, together. */
  readonly inserted: number;
}

interface Pending {
  readonly bytes: number;
  /** Where in psql's input each work of it begins. */
  readonly offsets: readonly LineOffset[];
  readonly resolve: (done: Done) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Settings that make a load faster; they end with the session. The swap waits for the disk. A server
 * with a lot of shared memory (in blocks of 8 kB) has some for building indexes.
 */
const forALoad = `SET synchronous_commit = off;
SELECT set_config('maintenance_work_mem', greatest(m.setting::bigint, b.setting::bigint * 8 / 4) || 'kB', false)
  FROM pg_settings AS m, pg_settings AS b
 WHERE m.name = 'maintenance_work_mem' AND b.name = 'shared_buffers';
`;

/**
 * A psql that loads parts of a dump, restricted like the one that loads a whole one. It stops at the
 * first error.
 */
export class LoadSession {
  readonly #server: Server;
  readonly #psql: Child;
  readonly #protocol: PsqlProtocol;
  readonly #pending: Pending[] = [];
  #load = 0;
  #inputLine = 1;
  /** Why it has ended, whatever it was doing. */
  #ended: { readonly failure: unknown } | undefined;

  constructor(server: Server, database: string) {
    this.#server = server;
    this.#psql = startLoader(server, database);
    this.#protocol = new PsqlProtocol(server.psql.version);
    this.#write(forALoad + this.#protocol.restrict);
    void this.#follow();
  }

  /** How much it has been given and has not done, in bytes of SQL; what is tiny has a cost, too. */
  get load(): number {
    return this.#load;
  }

  /**
   * Does one work after the other; the server is asked once whether all is done.
   * @throws Failure `restoreFailed` with the line of the dump that the server refused.
   */
  async run(...works: readonly Work[]): Promise<Done> {
    if (this.#ended) throw this.#ended.failure;
    // In one write, as far as possible: there can be one for each token.
    this.#psql.stdin.cork();
    const offsets: LineOffset[] = [];
    let bytes = 0;
    for (const { sql, line, lines } of works) {
      offsets.push({ input: this.#inputLine, dump: line });
      for (const part of sql) {
        this.#psql.stdin.write(part);
        bytes += part.length;
      }
      this.#inputLine += lines;
      this.#write('\n');
    }
    bytes = Math.max(bytes, leastBytes);
    this.#load += bytes;
    const answer = new Promise<Done>((resolve, reject) => {
      this.#pending.push({ bytes, offsets, resolve, reject });
    });
    this.#write(this.#protocol.question);
    this.#psql.stdin.uncork();
    return answer;
  }

  /** Ends the session after its work. */
  async end(): Promise<void> {
    this.#write(this.#protocol.unrestrict);
    this.#psql.stdin.end();
    await this.#psql.ending;
  }

  /** Ends it at once: psql takes the end of its input for the end of the data. */
  async kill(): Promise<void> {
    this.#psql.kill('SIGKILL');
    await this.#psql.ending;
  }

  #write(text: string): void {
    this.#inputLine += text.split('\n').length - 1;
    this.#psql.stdin.write(text);
  }

  /** Goes on until it has ended; then it tells what waits for an answer why there is none. */
  async #follow(): Promise<void> {
    // Something that it has started can hold its output open, which is left then: its ending says why.
    await this.#readAnswers().catch(() => this.#psql.kill('SIGKILL'));
    const ending = await this.#psql.ending;
    const [current] = this.#pending;
    const failure: unknown = this.#server.signal.aborted
      ? this.#server.signal.reason
      : loadFailure(this.#server, ending, current?.offsets ?? []);
    this.#ended = { failure };
    for (const { reject } of this.#pending.splice(0)) reject(failure);
  }

  async #readAnswers(): Promise<void> {
    let copied: number[] = [];
    let inserted = 0;
    for await (const line of this.#protocol.answers(this.#psql.stdout)) {
      if (line === done) {
        const answered = this.#pending.shift();
        this.#load -= answered?.bytes ?? 0;
        answered?.resolve({ copied, inserted });
        [copied, inserted] = [[], 0];
        continue;
      }
      const tag = readTag(line);
      if (tag?.command === 'COPY') copied.push(tag.rows);
      if (tag?.command === 'INSERT') inserted += tag.rows;
    }
  }
}
