import type { Server } from '../../postgres/psql.ts';
import type { Outstanding } from './outstanding.ts';
import { LoadSession, type Work } from './session.ts';

/** The sessions that load beside the coordinator, opened when there is work for them. */
export class SessionPool {
  readonly #server: Server;
  readonly #database: string;
  readonly #size: number;
  readonly #outstanding: Outstanding;
  readonly #sessions: LoadSession[] = [];
  /** What all sessions were told, in order. */
  readonly #settings: Work[] = [];
  readonly #told = new Set<Promise<void>>();

  constructor(server: Server, database: string, size: number, outstanding: Outstanding) {
    this.#server = server;
    this.#database = database;
    this.#size = size;
    this.#outstanding = outstanding;
  }

  /** Tells all sessions something, also those that are opened later. */
  async tell(setting: Work): Promise<void> {
    this.#settings.push(setting);
    await Promise.all(this.#sessions.map((session) => session.run(setting)));
  }

  /** One that has nothing to do, if need be a new one; else the one that has least. */
  leastBusy(): LoadSession {
    return (
      this.idle(({ load }) => load > 0) ??
      this.#sessions.reduce((best, session) => (session.load < best.load ? session : best))
    );
  }

  /** One that is not busy, if need be a new one; undefined where there can be no more. */
  idle(isBusy: (session: LoadSession) => boolean): LoadSession | undefined {
    const idle = this.#sessions.find((session) => !isBusy(session));
    return idle ?? (this.#sessions.length < this.#size ? this.#open() : undefined);
  }

  /** Whether `idle` has one. */
  hasRoom(isBusy: (session: LoadSession) => boolean): boolean {
    return this.#sessions.length < this.#size || this.#sessions.some((each) => !isBusy(each));
  }

  /** Ends all sessions after their work. */
  async end(): Promise<void> {
    await this.#outstanding.all(this.#told);
    await Promise.all(this.#sessions.map((session) => session.end()));
  }

  /** Ends them at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.kill()));
  }

  #open(): LoadSession {
    const session = new LoadSession(this.#server, this.#database);
    this.#sessions.push(session);
    for (const setting of this.#settings) {
      this.#outstanding.track(this.#told, session.run(setting), () => {});
    }
    return session;
  }
}
