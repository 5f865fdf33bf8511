import { identifier, qualified } from '../base/sql.ts';
import { readTableStatement } from './selection/outline.ts';
import { tableCreatedBy } from './statement.ts';

/** What a dump defines and gives no contents, as the dump writes the names. */
export interface WithoutData {
  /** Tables and materialized views. */
  readonly tables: readonly string[];
  readonly sequences: readonly string[];
  /** What has contents and needs those of such a table: by a foreign key, or a view over it. */
  readonly dependents: readonly { readonly name: string; readonly on: string }[];
}

const view = new RegExp(String.raw`^CREATE MATERIALIZED VIEW ${qualified}\s`);
const refresh = new RegExp(String.raw`^REFRESH MATERIALIZED VIEW ${qualified};`);
const sequence = new RegExp(String.raw`^CREATE SEQUENCE ${qualified}\s`);
const identity = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${qualified} ALTER COLUMN ${identifier} ADD GENERATED [^']*?SEQUENCE NAME ${qualified}\s`,
);
const setval = /^SELECT pg_catalog\.setval\('((?:[^']|'')+)',/;
/** It has no rows of its own. */
const partitioned = /\)\s*PARTITION BY [^;]*;\s*$/;

/** Takes the statements of a dump, in order, and keeps the names of what has no contents in it. */
export class ContentsAudit {
  readonly #tables = new Set<string>();
  readonly #sequences = new Set<string>();
  readonly #foreignKeys: { name: string; on: string }[] = [];
  readonly #views = new Map<string, string>();

  /** @param copyInto the table whose rows follow. */
  read(text: string, copyInto: string | undefined): void {
    if (copyInto !== undefined) {
      this.#tables.delete(copyInto);
      return;
    }
    const table =
      /^CREATE FOREIGN /.test(text) || partitioned.test(text) ? undefined : tableCreatedBy(text);
    add(this.#tables, table ?? view.exec(text)?.[1]);
    this.#noteDependent(text);
    add(this.#sequences, sequence.exec(text)?.[1] ?? identity.exec(text)?.[2]);
    this.#tables.delete(refresh.exec(text)?.[1] ?? '');
    this.#sequences.delete(setval.exec(text)?.[1]?.replaceAll("''", "'") ?? '');
  }

  #noteDependent(text: string): void {
    const created = view.exec(text)?.[1];
    if (created !== undefined) this.#views.set(created, text.slice(created.length));
    if (!text.includes(' FOREIGN KEY ')) return;
    const { of, needs } = readTableStatement(text);
    if (of !== undefined && needs !== undefined) this.#foreignKeys.push({ name: of, on: needs });
  }

  get found(): WithoutData {
    const ofViews = [...this.#views].flatMap(([name, text]) =>
      [...this.#tables]
        .filter((other) => other !== name && this.#views.has(other) && text.includes(other))
        .map((on) => ({ name, on })),
    );
    return {
      tables: [...this.#tables].sort(),
      sequences: [...this.#sequences].sort(),
      dependents: [...this.#foreignKeys, ...ofViews].filter(
        ({ name, on }) => this.#tables.has(on) && !this.#tables.has(name),
      ),
    };
  }
}

function add(names: Set<string>, name: string | undefined): void {
  if (name !== undefined) names.add(name);
}
