import { maxStatementBytes, type Token } from './lexer.ts';
import type { OwnershipFilter } from './ownership.ts';

/** A dump that would act on more than the database it is loaded into. */
export class UnsafeDump extends Error {
  override readonly name = 'UnsafeDump';
}

/** psql commands that pg_dump writes and that do nothing but restrict psql. */
const harmlessCommand = /^\\(?:un)?restrict [A-Za-z0-9]+$/;

const actsOutside =
  /^(?:CREATE|DROP|ALTER)\s+(?:DATABASE|TABLESPACE|ROLE|USER\s+(?!MAPPING)|SYSTEM)\b/i;

/** Set by pg_dump 17 and later; servers before 17 do not know it. */
const transactionTimeout = 'SET transaction_timeout = 0;';

export interface ReplayOptions {
  readonly ownership: OwnershipFilter;
  readonly serverMajor: number;
}

/** Turns the tokens of a dump into what psql is given: without the statements that cannot be replayed. */
export class Replay {
  readonly #options: ReplayOptions;
  /** The parts of a statement that is not decided yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** @throws UnsafeDump at a psql command or statement that reaches outside the database. */
  *read(token: Token): Generator<Buffer> {
    if (token.type === 'meta') this.#checkCommand(token.command);
    if (token.type === 'message') return;
    if (token.type !== 'sql') {
      yield token.bytes;
      return;
    }
    this.#pending.push(token.bytes);
    this.#pendingBytes += token.bytes.length;
    const ended = token.statement !== undefined;
    if (!ended && this.#pendingBytes <= maxStatementBytes) return;
    if (this.#keeps(token.statement?.text)) yield* this.#pending;
    this.#pending = [];
    if (ended) this.#pendingBytes = 0;
  }

  #checkCommand(command: string | undefined): void {
    if (command === undefined || harmlessCommand.test(command)) return;
    throw new UnsafeDump(`it contains the psql command ${command.split(/\s/)[0] ?? ''}`);
  }

  #keeps(statement: string | undefined): boolean {
    if (statement === undefined) return true; // too long to be one of those
    if (actsOutside.test(statement)) {
      throw new UnsafeDump(`it contains ${statement.slice(0, 60)}`);
    }
    if (statement === transactionTimeout && this.#options.serverMajor < 17) return false;
    return this.#options.ownership.keeps(statement);
  }
}
