import type { TableRows } from '../base/table-rows.ts';
import { Defect } from '../base/errors.ts';
import { isObjectComment } from './legacy/announcements.ts';
import { LegacyCleaner } from './legacy/cleaner.ts';
import { DumpEnding } from './ending.ts';
import { ContentsAudit, type WithoutData } from './without-data.ts';
import { policyRolesIn, rolesIn } from './role-filter.ts';
import { DumpLexer } from './lexer.ts';
import type { Statement, Token } from './token.ts';
import { extensionCreatedBy, firstLineOf, objectNamed } from './statement.ts';

/** What a dump holds. */
export interface DumpContents {
  /** Rows of each COPY block, in the dump's order. */
  readonly tables: readonly TableRows[];
  /** The COPY block that is not closed, where the dump was cut in one. */
  readonly cut: TableRows | undefined;
  /** Uncompressed size. */
  readonly bytes: number;
  /** Roles to which it gives objects or privileges, sorted. */
  readonly roles: readonly string[];
  /** Roles of row-security policies, sorted. */
  readonly policyRoles: readonly string[];
  /** Names of the extensions that it creates, sorted. */
  readonly extensions: readonly string[];
  /** What it defines and gives no contents. */
  readonly withoutData: WithoutData;
  /** Objects whose statement psql does not see the end of (see statement-boundary.ts), as pg_dump calls them. */
  readonly trapsForPsql: readonly string[];
  /** Its last bytes are exactly those with which pg_dump ends a dump, whatever was read before. */
  readonly endsLikeADump: boolean;
  /** How many messages of pg_dump are mixed into the SQL, see legacy/messages.ts. */
  readonly messages: number;
  /** Why this is not one complete dump; undefined for one that is. */
  readonly defect: string | undefined;
  /** Nothing is open or wrong: all that is missing is the proof that this is all. */
  readonly isOnlyUnproven: boolean;
}

export interface InspectorOptions {
  /** It must end exactly as pg_dump ends it: ours do. Else what says nothing may follow, or be missing. */
  readonly strict: boolean;
}

/** Reads the tokens of a dump, in order, and tells what is in it and whether it is whole. */
export class DumpInspector {
  #isBeginning = true;
  readonly #legacy = new LegacyCleaner();
  readonly #lexer = new DumpLexer();
  readonly #tables: TableRows[] = [];
  /** The COPY block that is being read. */
  #open: { table: string; rows: number; bytes: number } | undefined;
  #rows = 0;
  readonly #roles = new Set<string>();
  readonly #policyRoles = new Set<string>();
  readonly #extensions = new Set<string>();
  readonly #audit = new ContentsAudit();
  #bytes = 0;
  #messages = 0;
  readonly #ending: DumpEnding;
  /** What stood before the last statement. */
  #heading = '';
  readonly #traps: string[] = [];
  /** The lines between statements that stand above objects, and the one that is not whole yet. */
  #objects = 0;
  #line = '';

  constructor(options: InspectorOptions = { strict: true }) {
    this.#ending = new DumpEnding(options.strict);
  }

  /** The table whose rows are being read. */
  get currentTable(): string | undefined {
    return this.#open?.table;
  }

  /** Rows of COPY data so far. */
  get rows(): number {
    return this.#rows + (this.#open?.rows ?? 0);
  }

  /**
   * Takes a chunk, gives its tokens.
   * @throws Defect after the tokens of what comes before: a message of pg_dump that may be a row, or a
   *   byte that no text has, behind which psql would not see what follows on the line.
   */
  *read(chunk: Buffer): Generator<Token> {
    const whole = this.#isBeginning ? withoutByteOrderMark(chunk) : chunk;
    this.#isBeginning = false;
    const nul = whole.indexOf(0);
    const text = nul === -1 ? whole : whole.subarray(0, nul);
    this.#bytes += text.length;
    this.#ending.see(text);
    for (const bytes of this.#legacy.read(text)) yield* this.#lex(bytes);
    if (nul !== -1) throw new Defect(`byte ${this.#bytes} of the dump is no text (NUL)`);
  }

  /** Gives the tokens that were held back, after the last chunk. */
  *end(): Generator<Token> {
    for (const bytes of this.#legacy.end()) yield* this.#lex(bytes);
    for (const token of this.#lexer.end()) yield this.#take(token);
  }

  *#lex(bytes: Buffer): Generator<Token> {
    this.#lexer.messages = this.#legacy.byLine;
    for (const token of this.#lexer.read(bytes)) yield this.#take(token);
  }

  contents(): DumpContents {
    return {
      tables: this.#tables,
      cut: this.#open,
      bytes: this.#bytes,
      roles: [...this.#roles].sort(),
      policyRoles: [...this.#policyRoles].sort(),
      extensions: [...this.#extensions].sort(),
      withoutData: this.#audit.found,
      trapsForPsql: this.#traps,
      endsLikeADump: this.#ending.isLikeADump,
      messages: this.#legacy.removed + this.#messages,
      defect: this.#damage() ?? this.#ending.unproven,
      isOnlyUnproven: this.#damage() === undefined && this.#ending.unproven !== undefined,
    };
  }

  #take(token: Token): Token {
    switch (token.type) {
      case 'filler':
        this.#ending.append(token);
        if (this.#legacy.announced !== undefined) this.#countObjects(token.bytes);
        break;
      case 'meta':
        this.#ending.append(token);
        break;
      case 'sql':
        this.#heading = this.#ending.leave() || this.#heading;
        if (token.statement?.endsForPsql === false) this.#noteTrap(token.statement);
        this.#noteNames(token.statement?.text ?? '');
        this.#audit.read(token.statement?.text ?? '', token.statement?.copyInto);
        if (token.statement?.copyInto !== undefined) {
          this.#open = { table: token.statement.copyInto, rows: 0, bytes: 0 };
        }
        break;
      case 'rows':
        if (this.#open) {
          this.#open.rows += token.ended;
          this.#open.bytes += token.bytes.length;
        }
        break;
      case 'copyEnd':
        this.#ending.leave();
        if (this.#open) {
          this.#tables.push(this.#open);
          this.#rows += this.#open.rows;
        }
        this.#open = undefined;
        break;
      case 'message':
        this.#messages += 1;
        break;
    }
    return token;
  }

  #noteNames(text: string): void {
    for (const role of rolesIn(text)) this.#roles.add(role);
    for (const role of policyRolesIn(text)) this.#policyRoles.add(role);
    const extension = extensionCreatedBy(text);
    if (extension !== undefined) this.#extensions.add(extension);
  }

  #noteTrap({ text = '' }: Statement): void {
    this.#traps.push(objectNamed(this.#heading) ?? firstLineOf(text));
  }

  #countObjects(bytes: Buffer): void {
    const lines = (this.#line + bytes.toString('latin1')).split('\n');
    this.#line = lines.pop() ?? '';
    this.#objects += lines.filter(isObjectComment).length;
  }

  #damage(): string | undefined {
    if (this.#bytes === 0) return 'the dump is empty';
    if (this.#open) return `COPY of ${this.#open.table} is not closed: the dump was cut`;
    if (!this.#lexer.atRest) return 'the dump was cut inside a statement';
    const said = this.#legacy.announced;
    if (said && (said.objects !== this.#objects || said.rows !== this.#tables.length)) {
      return `its messages of pg_dump speak of ${said.objects} objects and ${said.rows} tables, but it has ${this.#objects} and ${this.#tables.length}`;
    }
    return undefined;
  }
}

/** Windows programs begin a file with it; psql passes over it, too. */
const withoutByteOrderMark = (chunk: Buffer) =>
  chunk.subarray(0, 3).equals(byteOrderMark) ? chunk.subarray(3) : chunk;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
