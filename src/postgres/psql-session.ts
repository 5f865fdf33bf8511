import { quoteLiteral } from '../base/sql.ts';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Child } from '../base/subprocess.ts';
import { bytesOf } from '../base/text.ts';
import { questionFailure, startPsql, type Server } from './psql.ts';

/** A connection that stays open over several questions. Disposing ends it. */
export class Session implements AsyncDisposable {
  readonly #server: Server;
  readonly #database: string;
  readonly #psql: Child;
  readonly #lines: AsyncIterator<string>;

  constructor(server: Server, database: string) {
    this.#server = server;
    this.#database = database;
    this.#psql = startPsql(server, database);
    this.#lines = createInterface({ input: this.#psql.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs statements and gives the lines that they put out.
   * @throws SqlError; Failure `cannotConnect`. The session has ended then.
   */
  async ask(sql: string): Promise<string[]> {
    const nonce = randomUUID();
    this.#psql.stdin.write(bytesOf(`${sql}\nSELECT ${quoteLiteral(nonce)};\n`));
    const answer: string[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done) throw await this.#failure();
      if (next.value === nonce) return answer;
      answer.push(next.value);
    }
  }

  async #failure(): Promise<unknown> {
    const ending = await this.#psql.ending;
    const { signal } = this.#server;
    return signal.aborted ? signal.reason : questionFailure(ending, this.#server, this.#database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#psql.stdin.end();
    await this.#psql.ending;
  }
}
