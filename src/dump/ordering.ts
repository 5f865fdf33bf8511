import { identifier, qualified } from '../base/sql.ts';

/** What a statement needs of the order in which a dump is loaded. */
export type Ordering =
  /** Sets something for the session: every session needs it. */
  | { readonly type: 'session' }
  /** Touches nothing that rows of other tables depend on, and nothing that depends on them. */
  | { readonly type: 'independent' }
  /** Needs these tables (see `tableKey`) for itself; the first is the one that it works on. */
  | { readonly type: 'tables'; readonly tables: readonly string[]; readonly isForeignKey: boolean };

/** Whether a transaction of the file is open behind a statement; undefined: that stays as it is. */
export function isInTransactionAfter(statement = ''): boolean | undefined {
  if (/^(?:BEGIN|START\s+TRANSACTION)\b/i.test(statement)) return true;
  return /^(?:COMMIT|END|ABORT|ROLLBACK)\b(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO\b)/i.test(statement)
    ? false
    : undefined;
}

/** Makes a table that ANALYZE of another one reads, too. */
export const wideningTable = /^CREATE (?:FOREIGN TABLE |(?:UNLOGGED )?TABLE .*\nINHERITS \()/s;

/** The same for a table however it is quoted: pg_dump and the server need not do it alike. */
export function tableKey(name: string): string {
  return name.replaceAll(/"([a-z_][a-z0-9_$]*)"/g, '$1');
}

const setsSession =
  /^(?:SET (?!SESSION AUTHORIZATION|LOCAL|TRANSACTION|CONSTRAINTS)|SELECT pg_catalog\.set_config\()/;
/** Sequences and large objects; pg_dump writes the latter in transactions of their own. */
const independent = /^(?:SELECT pg_catalog\.(?:setval|lo_|lowrite)|(?:BEGIN|COMMIT);$)/;
const constraint = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${qualified}\s+ADD CONSTRAINT ${identifier} (?:PRIMARY KEY|UNIQUE|EXCLUDE)\b`,
);
/** Like an index on an expression, it wants statistics of its own. */
const statistics = new RegExp(
  String.raw`^CREATE STATISTICS ${qualified} [^']*? FROM ${qualified};$`,
  's',
);
const foreignKey = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${qualified}\s+ADD CONSTRAINT ${identifier} FOREIGN KEY [^']*? REFERENCES ${qualified}\(`,
);
const index = new RegExp(
  String.raw`^CREATE (?:UNIQUE )?INDEX ${identifier} ON ${qualified} USING `,
);

/** Whether from here on the session is another role; undefined: that stays as it is. */
export function actsAs(statement = ''): boolean | undefined {
  if (!/^(?:RE)?SET SESSION AUTHORIZATION\b/.test(statement)) return undefined;
  return !/^RESET| DEFAULT;$/.test(statement);
}

/** The forms are those that pg_dump writes; of any other nothing is assumed. */
export function orderOf(statement: string): Ordering | undefined {
  if (setsSession.test(statement)) return { type: 'session' };
  if (independent.test(statement)) return { type: 'independent' };
  const key = foreignKey.exec(statement);
  if (key) {
    const tables = [key[1] ?? '', key[2] ?? ''].map(tableKey);
    return { type: 'tables', tables, isForeignKey: true };
  }
  const table =
    (constraint.exec(statement) ?? index.exec(statement))?.[1] ?? statistics.exec(statement)?.[2];
  if (table === undefined) return undefined;
  return { type: 'tables', tables: [tableKey(table)], isForeignKey: false };
}
