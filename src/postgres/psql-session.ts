import type { Child } from '../base/subprocess.ts';
import { bytesOf } from '../base/text.ts';
import { done, PsqlProtocol } from './psql-protocol.ts';
import { questionFailure, startPsql, type Server } from './psql.ts';

/** A connection that stays open over several questions. Disposing ends it. */
export class Session implements AsyncDisposable {
  readonly #server: Server;
  readonly #database: string;
  readonly #psql: Child;
  readonly #protocol: PsqlProtocol;
  readonly #answers: AsyncGenerator<string | typeof done>;
  /** How many lines psql was given before. */
  #lines = 0;

  constructor(server: Server, database: string) {
    this.#server = server;
    this.#database = database;
    this.#psql = startPsql(server, database);
    this.#protocol = new PsqlProtocol(server.psql.version);
    this.#answers = this.#protocol.answers(this.#psql.stdout);
  }

  /**
   * Runs statements and gives the lines that they put out.
   * @throws SqlError; Failure `cannotConnect`. The session has ended then.
   */
  async ask(sql: string): Promise<string[]> {
    const text = `${sql}\n${this.#protocol.question}`;
    this.#psql.stdin.write(bytesOf(text));
    const answer: string[] = [];
    for (;;) {
      const next = await this.#answers.next();
      if (next.done) throw await this.#failure();
      if (next.value === done) {
        this.#lines += text.split('\n').length - 1;
        return answer;
      }
      answer.push(next.value);
    }
  }

  async #failure(): Promise<unknown> {
    const ending = await this.#psql.ending;
    const { signal } = this.#server;
    if (signal.aborted) return signal.reason;
    return questionFailure(ending, this.#server, this.#database, this.#lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#psql.stdin.end();
    await this.#psql.ending;
  }
}
