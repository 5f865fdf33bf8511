import { policyRolesIn, rolesIn } from '../role-filter.ts';
import type { Selection } from './filter.ts';
import { kindOf, tableFilledBy } from './kind.ts';
import { firstMention, mentionsOf, qualifiedWord, schemaOf, word } from './mentions.ts';
import { readTableStatement, type DumpOutline, type OutlinedStatement } from './outline.ts';

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

const creation = new RegExp(
  String.raw`^CREATE (?:OR REPLACE )?(?:TYPE|DOMAIN|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|COLLATION|TEXT SEARCH \w+|OPERATOR(?: CLASS| FAMILY)?) (${qualifiedWord})`,
  'u',
);
/** A column holds numbers of large objects, perhaps. */
const pointsToObjects = /^CREATE [^]*\s(?:oid|lo|[\w"]+\.lo)(?:\[\])?(?=[,\s)])/;
/** A range makes a second type. */
const multirange = new RegExp(
  String.raw`^CREATE TYPE [^]*\smultirange_type_name = (${qualifiedWord})`,
  'u',
);
const cast = /^CREATE CAST \(([^)]*(?:\([^)]*\)[^)]*)*)\) /;
const indexes = new RegExp(
  String.raw`^CREATE (?:UNIQUE )?INDEX (${word}) ON (?:ONLY )?(${word})\.|^ALTER TABLE (?:ONLY )?(${word})\.${word}\s+ADD CONSTRAINT (${word}) (?:PRIMARY|UNIQUE)`,
  'u',
);
const attachIndex = new RegExp(
  String.raw`^ALTER INDEX (${word}\.${word}) ATTACH PARTITION (${word}\.${word});`,
  'u',
);
/** What says something of an object that something else has made. */
const remark =
  /^(?:COMMENT ON (?!EXTENSION)|GRANT|REVOKE|ALTER (?:TYPE|DOMAIN|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|COLLATION|OPERATOR|TEXT SEARCH) )/;
const subject = /^(?:COMMENT ON|ALTER) .*?(?= IS |$)|(?<= ON ).*$/s;
const statistics = new RegExp(String.raw`^CREATE STATISTICS .* FROM (${word}\.${word});$`, 'su');
const schemaStatement = new RegExp(
  String.raw`^(?:CREATE SCHEMA|ALTER SCHEMA|COMMENT ON SCHEMA|(?:GRANT|REVOKE) [\w, ]+ ON SCHEMA) (${word})(?=[\s;])`,
  'u',
);
const extension = new RegExp(
  String.raw`^CREATE EXTENSION (?:IF NOT EXISTS )?${word}(?: WITH)? SCHEMA (${word})`,
  'u',
);
const constraintComment = new RegExp(String.raw`^COMMENT ON CONSTRAINT (${word}) ON`, 'u');

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
  untilNothingIsAdded(kept, () => {
    addMentioned(statements, kept);
    addExtensions(statements, kept);
    addRemarks(statements, kept);
  });
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

type Statements = readonly (OutlinedStatement & {
  readonly about: ReturnType<typeof readTableStatement>;
})[];

/** `SELECT pg_catalog.setval('public.s', 5, true);` → `public.s` */
const sequenceSetBy = (head: string) =>
  /^SELECT pg_catalog\.setval\('((?:[^']|'')+)'/.exec(head)?.[1]?.replaceAll("''", "'");

/** What is added can need more, which stands before it. */
function untilNothingIsAdded(collected: { readonly size: number }, step: () => void): void {
  for (let before = -1; before !== collected.size;) {
    before = collected.size;
    step();
  }
}

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

/** Adds what the statements that are kept mention, and what that mentions. */
function addMentioned(statements: Statements, kept: Map<number, string>): void {
  const makers = new Map<string, OutlinedStatement[]>();
  for (const statement of statements) {
    const made = [creation.exec(statement.text)?.[1], multirange.exec(statement.text)?.[1]];
    for (const name of made.filter((each) => each !== undefined)) {
      makers.set(name, [...(makers.get(name) ?? []), statement]);
    }
  }
  const known = new Set<string>();
  const open = [...kept.values()];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    for (const name of mentionsOf([text])) {
      if (known.has(name)) continue;
      known.add(name);
      for (const maker of makers.get(name) ?? []) {
        kept.set(maker.ordinal, maker.text);
        open.push(maker.text);
      }
    }
  }
  const schemas = new Set([...known].map(schemaOf));
  for (const { ordinal, text } of statements) {
    const schema = schemaStatement.exec(text)?.[1];
    // The schema `public` is there: what is said of it is not about what was chosen.
    if (schema !== undefined && schema !== 'public' && schemas.has(schema)) kept.set(ordinal, text);
  }
}

/** Adds the extensions in whose schema something is mentioned that nothing in the dump makes. */
function addExtensions(statements: Statements, kept: Map<number, string>): void {
  const made = new Set(
    statements.flatMap(({ text, about }) => about.creates ?? creation.exec(text)?.[1] ?? []),
  );
  const foreign = [...mentionsOf([...kept.values()])].filter((name) => !made.has(name));
  const schemas = new Set(foreign.map((name) => schemaOf(name)));
  for (const { ordinal, text } of statements) {
    const schema = extension.exec(text)?.[1];
    if (schema === undefined || !schemas.has(schema)) continue;
    kept.set(ordinal, text);
    for (const other of statements) {
      if (schemaStatement.exec(other.text)?.[1] === schema && other.text.startsWith('CREATE ')) {
        kept.set(other.ordinal, other.text);
      }
    }
  }
}

/**
 * Adds owners, privileges and comments of what is kept, what its types are cast to, and the indexes of partitions to
 * those of their table. That can mention more.
 */
function addRemarks(statements: Statements, kept: Map<number, string>): void {
  const made = new Set<string>();
  for (const text of kept.values()) {
    const name = creation.exec(text)?.[1] ?? readTableStatement(text).creates;
    const [, index, schema, ofTable, constraint] = indexes.exec(text) ?? [];
    if (name !== undefined) made.add(name);
    if (index !== undefined) made.add(`${schema ?? ''}.${index}`);
    if (constraint !== undefined) made.add(`${ofTable ?? ''}.${constraint}`);
  }
  for (const { ordinal, text } of statements) {
    const [, parent, child] = attachIndex.exec(text) ?? [];
    const isAttached = made.has(parent ?? '') && made.has(child ?? '');
    const about = firstMention(
      cast.exec(text)?.[1] ?? (remark.test(text) ? (subject.exec(text)?.[0] ?? '') : ''),
    );
    const constraint = constraintComment.exec(text)?.[1];
    const isLeftOut =
      constraint !== undefined &&
      ![...kept.values()].some((each) => each.includes(`CONSTRAINT ${constraint} `));
    if (isAttached || (about !== undefined && made.has(about) && !isLeftOut)) {
      kept.set(ordinal, text);
    }
  }
}

const namesIn = (texts: readonly string[], named: (text: string) => string[]) =>
  [...new Set(texts.flatMap(named))].sort();

const onOneLine = (text: string) => text.replaceAll(/\s+/g, ' ');
