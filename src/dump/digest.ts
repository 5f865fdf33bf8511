import { createHash, type Hash } from 'node:crypto';
import { columnsOf } from './copy.ts';
import { DefinitionDigest, type Definition } from './definition-digest.ts';
import { LargeObjectDigest } from './large-object-digest.ts';
import { DigestSum, RowDigest } from './row-digest.ts';
import { objectNamed, tableInsertedInto } from './statement.ts';
import type { Token } from './token.ts';

/** The rows of a table. */
export interface TableDigest {
  readonly rows: number;
  /** As COPY names them; undefined where it names none. */
  readonly columns: readonly string[] | undefined;
  /** The same for the same rows in any order: 64 hexadecimal digits. */
  readonly digest: string;
}

/** What a dump holds, small enough to be kept: for to be compared with what another one holds. */
export interface DumpDigest {
  /** What it says of the server and the pg_dump that made it, for to be compared; undefined where it says nothing. */
  readonly madeBy: string | undefined;
  /** The encoding of its text, as the dump calls it; undefined where it does not say. */
  readonly encoding: string | undefined;
  /** By name, as the dump writes it. */
  readonly tables: ReadonlyMap<string, TableDigest>;
  /** INSERT statements: what they hold is not compared. */
  readonly inserts: number;
  /** The arguments of `setval`, by sequence. */
  readonly sequences: ReadonlyMap<string, string>;
  readonly largeObjects: { readonly count: number; readonly digest: string };
  /** By the digest of what they say. */
  readonly definitions: ReadonlyMap<string, Definition>;
}

const madeBy = /^-- Dumped (?:from database|by pg_dump) version .*$/gm;
const setsEncoding = /^SET client_encoding = '([\w-]+)';$/;
const setval = /^SELECT pg_catalog\.setval\('((?:[^']|'')+)', (.*)\);$/s;
/** Settings of the session, and what surrounds large objects. */
const ofTheSession =
  /^(?:SET |RESET |SELECT pg_catalog\.set_config\(|BEGIN;|COMMIT;|SELECT pg_catalog\.lo_unlink)/;
/** Statistics of the planner are no content (18 and later). */
const ofThePlanner = /^SELECT \* FROM pg_catalog\.pg_(?:restore|clear)_\w+_stats\(/;

/** So much of a long statement tells what it is. */
const headBytes = 1024;

/** Takes the tokens of a dump, in order, and sums up what it holds. Memory is that of its definitions. */
export class DumpDigester {
  /** Columns in whose order rows are taken, by table. */
  readonly #like: ReadonlyMap<string, TableDigest> | undefined;
  #header = '';
  #encoding: string | undefined;
  readonly #tables = new Map<string, { sum: DigestSum; columns: readonly string[] | undefined }>();
  #open: RowDigest | undefined;
  #inserts = 0;
  readonly #sequences = new Map<string, string>();
  readonly #largeObjects = new LargeObjectDigest();
  readonly #definitions = new DefinitionDigest();
  /** What stood before the statement, and what pg_dump called the object of it and those that follow. */
  #comments = '';
  #object: string | undefined;
  /** Of one that is too long to have a text: its digest, and how it begins. */
  #long: { readonly hash: Hash; readonly head: string } | undefined;

  /** @param like of another dump: rows of a table with the same columns in another order are taken in that. */
  constructor(like?: DumpDigest) {
    this.#like = like?.tables;
  }

  /** @param counts false: the statement is left out wherever the dump is loaded. */
  read(token: Token, counts = true): void {
    switch (token.type) {
      case 'filler':
        this.#comments += token.bytes.toString();
        break;
      case 'rows':
        this.#open?.add(token.bytes);
        break;
      case 'copyEnd':
        this.#open = undefined;
        this.#comments = '';
        break;
      case 'sql':
        this.#statement(token, counts);
        break;
      default:
    }
  }

  digest(): DumpDigest {
    return {
      madeBy: this.#header === '' ? undefined : this.#header,
      encoding: this.#encoding,
      tables: new Map(
        [...this.#tables].map(([table, { sum, columns }]) => [
          table,
          { rows: sum.count, columns, digest: sum.digest() },
        ]),
      ),
      inserts: this.#inserts,
      sequences: this.#sequences,
      largeObjects: { count: this.#largeObjects.count, digest: this.#largeObjects.digest() },
      definitions: this.#definitions.definitions,
    };
  }

  #statement({ bytes, statement }: Extract<Token, { type: 'sql' }>, counts: boolean): void {
    if (this.#header === '') {
      this.#header = (this.#comments.match(madeBy) ?? []).join('; ');
    }
    if (statement?.text === undefined || this.#long !== undefined) {
      this.#long ??= { hash: createHash('sha256'), head: bytes.toString('utf8', 0, headBytes) };
      this.#long.hash.update(bytes);
    }
    if (statement === undefined) return;
    const { text, copyInto } = statement;
    this.#object = objectNamed(this.#comments) ?? this.#object;
    if (copyInto !== undefined) this.#openTable(copyInto, text ?? '');
    else if (counts) this.#take(text);
    this.#long = undefined;
    this.#comments = '';
  }

  #openTable(table: string, copy: string): void {
    const columns = columnsOf(copy);
    const known = this.#tables.get(table) ?? { sum: new DigestSum(), columns };
    this.#tables.set(table, known);
    const order = orderOf(columns, this.#like?.get(table)?.columns);
    this.#open = new RowDigest(known.sum, order);
  }

  #take(text: string | undefined): void {
    if (text === undefined) {
      const { hash: long, head = '' } = this.#long ?? {};
      if (tableInsertedInto(head) !== undefined) this.#inserts += 1;
      else this.#definitions.addLong(long?.digest('hex') ?? '', head, this.#object);
      return;
    }
    this.#encoding ??= setsEncoding.exec(text)?.[1];
    const [, sequence, value] = setval.exec(text) ?? [];
    if (sequence !== undefined) this.#sequences.set(sequence, value ?? '');
    else if (tableInsertedInto(text) !== undefined) this.#inserts += 1;
    else if (
      !this.#largeObjects.take(text) &&
      !this.#definitions.takeStorage(text) &&
      !ofTheSession.test(text) &&
      !ofThePlanner.test(text)
    )
      this.#definitions.add(text, this.#object);
  }
}

/** Where to find the wanted columns; undefined where they are in that order, or are not the same. */
function orderOf(
  columns: readonly string[] | undefined,
  wanted: readonly string[] | undefined,
): number[] | undefined {
  if (columns === undefined || wanted?.length !== columns.length) return undefined;
  const order = wanted.map((column) => columns.indexOf(column));
  return order.includes(-1) || order.every((at, index) => at === index) ? undefined : order;
}
