import { firstMention, mentionsOf, qualifiedWord, schemaOf, word } from './mentions.ts';
import { readTableStatement, type OutlinedStatement } from './outline.ts';

const creation = new RegExp(
  String.raw`^CREATE (?:OR REPLACE )?(?:TYPE|DOMAIN|SEQUENCE|FUNCTION|PROCEDURE|AGGREGATE|COLLATION|TEXT SEARCH \w+|OPERATOR(?: CLASS| FAMILY)?) (${qualifiedWord})`,
  'u',
);
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
const schemaStatement = new RegExp(
  String.raw`^(?:CREATE SCHEMA|ALTER SCHEMA|COMMENT ON SCHEMA|(?:GRANT|REVOKE) [\w, ]+ ON SCHEMA) (${word})(?=[\s;])`,
  'u',
);
const extension = new RegExp(
  String.raw`^CREATE EXTENSION (?:IF NOT EXISTS )?${word}(?: WITH)? SCHEMA (${word})`,
  'u',
);
const constraintComment = new RegExp(String.raw`^COMMENT ON CONSTRAINT (${word}) ON`, 'u');

/** The definitions of a dump, each with what it says of tables. */
export type Statements = readonly (OutlinedStatement & {
  readonly about: ReturnType<typeof readTableStatement>;
})[];

/**
 * Adds to statements that are kept, by their ordinals, what they mention and what that mentions: types, functions,
 * sequences, schemas, extensions; with owners, privileges and comments of it all.
 */
export function addNeeded(statements: Statements, kept: Map<number, string>): void {
  untilNothingIsAdded(kept, () => {
    addMentioned(statements, kept);
    addExtensions(statements, kept);
    addRemarks(statements, kept);
  });
}

/** What is added can need more, which stands before it. */
export function untilNothingIsAdded(collected: { readonly size: number }, step: () => void): void {
  for (let before = -1; before !== collected.size;) {
    before = collected.size;
    step();
  }
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
