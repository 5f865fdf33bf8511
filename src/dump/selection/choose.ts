import { policyRolesIn, rolesIn } from '../role-filter.ts';
import type { Selection } from './filter.ts';
import { kindOf, tableFilledBy } from './kind.ts';
import { mentionsOf, word } from './mentions.ts';
import { addNeeded, untilNothingIsAdded, type Statements } from './needed.ts';
import { readTableStatement, type DumpOutline } from './outline.ts';

export interface Choice {
  readonly selection: Selection;
  /** The tables whose rows it holds. */
  readonly tables: ReadonlySet<string>;
  /** What is left out of what the tables need, and why, each a message for people. */
  readonly leftOut: readonly string[];
  /** Roles to which it gives objects or privileges. */
  readonly roles: readonly string[];
  /** Roles of its row-security policies. */
  readonly policyRoles: readonly string[];
}

/** A column holds numbers of large objects, perhaps. */
const pointsToObjects = /^CREATE [^]*\s(?:oid|lo|[\w"]+\.lo)(?:\[\])?(?=[,\s)])/;
const statistics = new RegExp(String.raw`^CREATE STATISTICS .* FROM (${word}\.${word});$`, 'su');

/**
 * Chooses of a dump what some tables need: their definitions, rows, indexes, constraints and triggers, the
 * types, sequences and functions that they mention, and so on; partitions with their table, and the
 * definition of tables of which they inherit, or whose rows are the type of a column.
 * @param chosen as the dump writes their names.
 */
export function chooseTables(outline: DumpOutline, chosen: ReadonlySet<string>): Choice {
  const statements = outline.definitions.map((statement) => ({
    ...statement,
    about: readTableStatement(statement.text),
  }));
  const tables = withPartitions(statements, chosen);
  const ancestors = ancestorsOf(statements, tables);
  const kept = new Map<number, string>();
  const leftOut: string[] = [];
  const all = new Set(statements.flatMap(({ about }) => about.creates ?? []));
  /** A rule or a policy works with other tables. */
  const otherTableIn = (text: string) =>
    /^CREATE (?:RULE|POLICY) /.test(text)
      ? [...mentionsOf([text])].find((name) => all.has(name) && !tables.has(name))
      : undefined;
  for (const { ordinal, text, about } of statements) {
    const { creates, of, needs } = about;
    const isOwn =
      (creates !== undefined && (tables.has(creates) || ancestors.has(creates))) ||
      (of !== undefined && tables.has(of)) ||
      tables.has(statistics.exec(text)?.[1] ?? '');
    if (!isOwn) continue;
    const wanted = needs ?? otherTableIn(text);
    if (wanted === undefined || tables.has(wanted)) kept.set(ordinal, text);
    else if (!about.attaches) {
      leftOut.push(`left out, for it needs a table that was not chosen: ${onOneLine(text)}`);
    }
  }
  const pointing = [...kept.values()].flatMap((text) =>
    pointsToObjects.test(text) ? (readTableStatement(text).creates ?? []) : [],
  );
  if (outline.hasLargeObjects && pointing.length > 0) {
    leftOut.push(
      `left out, for they belong to no table: large objects, to which ${pointing.join(', ')} can refer`,
    );
  }
  addNeeded(statements, kept);
  const mentioned = mentionsOf([...kept.values()]);
  return {
    tables,
    leftOut,
    roles: namesIn([...kept.values()], rolesIn),
    policyRoles: namesIn([...kept.values()], policyRolesIn),
    selection(ordinal, head) {
      const kind = kindOf(head);
      if (kind === 'session') return true;
      if (kind === 'definition') return kept.has(ordinal);
      const filled = tableFilledBy(head);
      if (filled !== undefined) return tables.has(filled);
      const sequence = sequenceSetBy(head);
      return sequence !== undefined && mentioned.has(sequence);
    },
  };
}

/** `SELECT pg_catalog.setval('public.s', 5, true);` → `public.s` */
const sequenceSetBy = (head: string) =>
  /^SELECT pg_catalog\.setval\('((?:[^']|'')+)'/.exec(head)?.[1]?.replaceAll("''", "'");

function withPartitions(statements: Statements, chosen: ReadonlySet<string>): Set<string> {
  const tables = new Set(chosen);
  untilNothingIsAdded(tables, () => {
    for (const { about } of statements) {
      if (about.attaches && about.needs !== undefined && tables.has(about.of ?? '')) {
        tables.add(about.needs);
      }
    }
  });
  return tables;
}

function ancestorsOf(statements: Statements, tables: ReadonlySet<string>): Set<string> {
  const ancestors = new Set<string>();
  const all = new Set(statements.flatMap(({ about }) => about.creates ?? []));
  untilNothingIsAdded(ancestors, () => {
    for (const { about, text } of statements) {
      const child = about.creates ?? '';
      if (!tables.has(child) && !ancestors.has(child)) continue;
      // Columns can have the type of another table's rows.
      const types = [...mentionsOf([text])].filter((name) => all.has(name));
      for (const parent of [...about.inherits, ...types]) {
        if (!tables.has(parent)) ancestors.add(parent);
      }
    }
  });
  return ancestors;
}

const namesIn = (texts: readonly string[], named: (text: string) => string[]) =>
  [...new Set(texts.flatMap(named))].sort();

const onOneLine = (text: string) => text.replaceAll(/\s+/g, ' ');
