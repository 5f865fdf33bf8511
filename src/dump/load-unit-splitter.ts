import { countLineBreaks } from '../base/text.ts';
import { columnsOf } from './copy.ts';
import { actsAs, isInTransactionAfter, orderOf, wideningTable } from './ordering.ts';
import type { LoadUnit } from './load-unit.ts';
import type { Token } from './token.ts';
import type { ReplayFilter } from './replay-filter.ts';

/** Cuts what is replayed of a dump into parts: statements, and pieces of rows at row borders. */
export class LoadUnitSplitter {
  readonly #replay: ReplayFilter;
  readonly #pieceBytes: number;
  /** What is not complete yet: of a statement, or rows. */
  #sql: Buffer[] = [];
  #bytes = 0;
  /** The line of the dump with which it begins, and how many it has. */
  #line = 1;
  #lines = 0;
  /** The COPY statement of the block, and what stood before it. */
  #copy = Buffer.alloc(0);
  #copyText = '';
  #block = -1;
  #table = '';
  #inRows = false;
  /** Whether the COPY block has given a piece: it has at least one, also without rows. */
  #hasPieces = false;
  #columns: number | undefined;
  #inTransaction = false;
  /** What is created belongs to the role of the session that creates it. */
  #isSomebodyElse = false;

  /** @param pieceBytes how large a piece of rows is, at least. */
  constructor(replay: ReplayFilter, pieceBytes: number) {
    this.#replay = replay;
    this.#pieceBytes = pieceBytes;
  }

  /** @throws UnsafeDump */
  *read(token: Token): Generator<LoadUnit> {
    if (token.type === 'rows') {
      yield* this.#rows(token);
      return;
    }
    if (token.type === 'copyEnd') {
      if (this.#bytes > 0 || !this.#hasPieces) yield* this.#piece();
      this.#restart(1);
      this.#inRows = false;
      return;
    }
    for (const bytes of this.#replay.read(token)) {
      // The line break behind COPY, and those of what was not chosen, belong to nothing.
      const isNothing = this.#inRows || (this.#sql.length === 0 && isBlank(bytes));
      if (isNothing) this.#line += countLineBreaks(bytes);
      else this.#add(bytes);
    }
    const statement = token.type === 'sql' ? token.statement : undefined;
    if (statement?.copyInto !== undefined) {
      this.#copy = Buffer.concat([...this.#sql, Buffer.from('\n')]);
      this.#block += 1;
      this.#table = statement.copyInto;
      this.#copyText = statement.text ?? '';
      this.#columns = columnsOf(this.#copyText)?.length;
      this.#inRows = true;
      this.#hasPieces = false;
      this.#restart(0);
    } else if (statement !== undefined) {
      this.#inTransaction = isInTransactionAfter(statement.text) ?? this.#inTransaction;
      this.#isSomebodyElse = actsAs(statement.text) ?? this.#isSomebodyElse;
      yield this.#statement(statement.text);
    }
  }

  /** Gives what is left of a dump that was cut: whole rows. A statement that was cut is nothing. */
  *end(): Generator<LoadUnit> {
    if (!this.#inRows) return;
    const rows = Buffer.concat(this.#sql);
    this.#sql = [rows.subarray(0, rows.lastIndexOf(0x0a) + 1)];
    yield* this.#piece();
  }

  *#rows({ bytes, ended }: Extract<Token, { type: 'rows' }>): Generator<LoadUnit> {
    this.#add(bytes, ended);
    if (this.#bytes < this.#pieceBytes || ended === 0) return;
    // A piece ends with a row; what follows begins the next one.
    const end = bytes.lastIndexOf(0x0a) + 1;
    const rest = bytes.subarray(end);
    this.#sql[this.#sql.length - 1] = bytes.subarray(0, end);
    yield* this.#piece();
    if (rest.length > 0) this.#add(rest, 0);
  }

  *#piece(): Generator<LoadUnit> {
    const sql = [this.#copy, ...this.#sql, endOfCopyLike(this.#sql)];
    const copyLines = countLineBreaks(this.#copy);
    const line = this.#line - copyLines;
    const lines = copyLines + this.#lines + 1;
    const [block, table, bytes, columns] = [this.#block, this.#table, this.#bytes, this.#columns];
    const [text, inTransaction] = [this.#copyText, this.#inTransaction];
    this.#hasPieces = true;
    yield { type: 'rows', sql, line, lines, text, block, table, bytes, columns, inTransaction };
    this.#restart(0);
  }

  #statement(text = ''): LoadUnit {
    const [sql, line, lines] = [this.#sql, this.#line, this.#lines];
    const usual = orderOf(text);
    const mustWait = this.#isSomebodyElse || this.#inTransaction;
    const order = usual?.type === 'tables' && mustWait ? undefined : usual;
    this.#restart(0);
    const widensAnalyze = wideningTable.test(text);
    return { type: 'statement', sql, line, lines, text, order, widensAnalyze };
  }

  #add(bytes: Buffer, lines = countLineBreaks(bytes)): void {
    this.#sql.push(bytes);
    this.#bytes += bytes.length;
    this.#lines += lines;
  }

  /** Begins something new, so many lines further. */
  #restart(skipped: number): void {
    this.#sql = [];
    this.#bytes = 0;
    this.#line += this.#lines + skipped;
    this.#lines = 0;
  }
}

/** The server wants it to end like the rows before it (CRLF, where a file went through Windows). */
function endOfCopyLike(rows: readonly Buffer[]): Buffer {
  const isCrLf =
    rows
      .findLast(({ length }) => length > 0)
      ?.subarray(-2)
      .equals(crLf) ?? false;
  return Buffer.from(isCrLf ? '\\.\r\n' : '\\.\n');
}

const isBlank = (bytes: Buffer) => countLineBreaks(bytes) === bytes.length;

const crLf = Buffer.from('\r\n');
