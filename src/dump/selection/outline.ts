import { qualified, unquoteIdentifier } from '../../base/sql.ts';
import { tableAddedTo, tableCreatedBy } from '../statement.ts';
import type { Token } from '../token.ts';
import { kindOf } from './kind.ts';

/** A statement that makes something. */
export interface OutlinedStatement {
  /** Which statement of the dump it is, from 0. */
  readonly ordinal: number;
  readonly text: string;
}

/** Takes the tokens of a dump, in order, and keeps the statements that make objects. */
export class DumpOutline {
  readonly #definitions: OutlinedStatement[] = [];
  #ordinal = 0;

  /** There are large objects, which belong to no table. */
  hasLargeObjects = false;

  /** In the order of the dump. */
  get definitions(): readonly OutlinedStatement[] {
    return this.#definitions;
  }

  read(token: Token): void {
    if (token.type !== 'sql' || token.statement === undefined) return;
    const text = token.statement.text ?? '';
    if (kindOf(text) === 'definition') this.#definitions.push({ ordinal: this.#ordinal, text });
    if (text.startsWith('SELECT pg_catalog.lo_create(')) this.hasLargeObjects = true;
    this.#ordinal += 1;
  }
}

const attach = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${qualified} ATTACH PARTITION ${qualified} `,
);
const foreignKey = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${qualified}\s+ADD CONSTRAINT .* FOREIGN KEY [^']*? REFERENCES ${qualified}\(`,
  's',
);
const inherits = /\)\s*INHERITS \(([^)]*)\)/;

/** What a statement says of tables, as the dump writes their names. */
export interface TableStatement {
  readonly creates: string | undefined;
  /** The tables of which it inherits. */
  readonly inherits: readonly string[];
  /** The table to which it belongs. */
  readonly of: string | undefined;
  /** The other table that it needs: a partition, or that of a foreign key. */
  readonly needs: string | undefined;
  readonly attaches: boolean;
}

export function readTableStatement(text: string): TableStatement {
  const attached = attach.exec(text);
  const key = attached ?? foreignKey.exec(text);
  const parents = inherits.exec(text)?.[1] ?? '';
  return {
    creates: tableCreatedBy(text),
    inherits: [...parents.matchAll(new RegExp(qualified, 'g'))].map(([name]) => name),
    of: tableAddedTo(text),
    needs: key?.[2],
    attaches: attached !== null,
  };
}

/** `public."My Table"` → `public.My Table`, as people call it. */
export const spoken = (name: string): string =>
  (name.match(/"(?:[^"]|"")*"|[^".]+/g) ?? []).map(unquoteIdentifier).join('.');
