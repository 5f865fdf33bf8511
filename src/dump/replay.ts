import { maxStatementBytes, type Token } from './lexer.ts';
import type { OwnershipFilter } from './ownership.ts';
import { withoutComments } from './quoting.ts';

/** A dump that would act on more than the database it is loaded into. */
export class UnsafeDump extends Error {
  override readonly name = 'UnsafeDump';
}

/** The psql commands that pg_dump writes; they restrict psql, which whoever loads the dump does. */
const restriction = /^\\(?:un)?restrict [A-Za-z0-9]+$/;

const actsOutside =
  /^\s*(?:CREATE|DROP|ALTER)\s+(?:DATABASE|TABLESPACE|ROLE|GROUP|USER(?!\s+MAPPING)|SYSTEM)(?![\w$])/i;

/** Set by pg_dump 17 and later; servers before 17 do not know it. */
const transactionTimeout = 'SET transaction_timeout = 0;';

export interface ReplayOptions {
  readonly ownership: OwnershipFilter;
  readonly serverMajor: number;
}

/**
 * Turns the tokens of a dump into what psql is given: without what cannot be replayed on this
 * server. It keeps accidents away from other databases (a dump of all databases, one made with
 * `--create`); what keeps a hostile dump from the shell is that psql runs restricted.
 */
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
    switch (token.type) {
      case 'message':
        return;
      case 'meta':
        this.#refuseCommand(token.command);
        yield lineBreaksOf(token.bytes);
        return;
      case 'sql':
        yield* this.#statement(token);
        return;
      default:
        yield token.bytes;
    }
  }

  *#statement({ bytes, statement }: Extract<Token, { type: 'sql' }>): Generator<Buffer> {
    const decided = this.#pendingBytes > maxStatementBytes;
    this.#pendingBytes += bytes.length;
    if (decided) {
      yield bytes;
    } else {
      this.#pending.push(bytes);
      if (statement === undefined && this.#pendingBytes <= maxStatementBytes) return;
      const text = statement?.text ?? withoutComments(Buffer.concat(this.#pending).toString());
      yield* this.#keeps(text) ? this.#pending : this.#pending.map(lineBreaksOf);
      this.#pending = [];
    }
    if (statement !== undefined) this.#pendingBytes = 0;
  }

  #refuseCommand(command: string | undefined): void {
    if (command === undefined || restriction.test(command)) return;
    const backslash = command.indexOf('\\');
    throw new UnsafeDump(`it contains the psql command ${command.slice(backslash).slice(0, 60)}`);
  }

  #keeps(statement: string): boolean {
    if (actsOutside.test(statement)) {
      throw new UnsafeDump(`it contains ${statement.trim().slice(0, 60)}`);
    }
    if (statement === transactionTimeout && this.#options.serverMajor < 17) return false;
    return this.#options.ownership.keeps(statement);
  }
}

/** What is left out leaves its line breaks: psql's messages then tell the line of the file. */
function lineBreaksOf(bytes: Buffer): Buffer {
  return Buffer.alloc(bytes.filter((byte) => byte === 0x0a).length, '\n');
}
