import { identifier, qualified, unquoteIdentifier } from '../base/sql.ts';
import { withoutComments } from './comments.ts';

/** The most of a statement that is shown to people, in characters. */
const maxShown = 120;

const heading = /^-- (?:Data for )?Name: (.*?); Type: (.*?); Schema: (.*?)(?:;|$)/gm;

/**
 * What pg_dump's comment before a statement calls the object: `TABLE public.places`; undefined
 * without such a comment.
 */
export function objectNamed(comments: string): string | undefined {
  const [, name, type, schema] = [...comments.matchAll(heading)].at(-1) ?? [];
  if (name === undefined) return undefined;
  return schema === '-' ? `${type} ${name}` : `${type} ${schema}.${name}`;
}

/** The first line of a statement, without the comments before it. */
export function firstLineOf(statement: string): string {
  const [line = ''] = withoutComments(statement).trimStart().split('\n');
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line.trimEnd();
}

const creation = new RegExp(
  String.raw`^CREATE (?:UNLOGGED |FOREIGN )?TABLE (?:IF NOT EXISTS )?${qualified}[\s(]`,
);
const insertion = new RegExp(String.raw`^INSERT INTO ${qualified}\s`);

/** Statements about a table, in the forms in which pg_dump writes them. */
const additions = [
  String.raw`ALTER (?:FOREIGN )?TABLE (?:ONLY )?${qualified}`,
  String.raw`CREATE (?:UNIQUE )?INDEX ${identifier} ON (?:ONLY )?${qualified}`,
  String.raw`CREATE (?:CONSTRAINT )?TRIGGER ${identifier} [^']*? ON ${qualified}`,
  String.raw`CREATE POLICY ${identifier} ON ${qualified}`,
  String.raw`CREATE RULE ${identifier} AS\s+ON \w+ TO ${qualified}`,
  String.raw`COMMENT ON TABLE ${qualified} IS`,
  String.raw`COMMENT ON COLUMN ${qualified}\.${identifier} IS`,
  String.raw`ALTER SEQUENCE \S+ OWNED BY ${qualified}\.`,
  String.raw`(?:GRANT|REVOKE) [^']*? ON TABLE ${qualified} `,
].map((form) => new RegExp(`^${form}(?![\\w$.])`, 's'));

/** The table that a statement creates, as the dump writes it. */
export const tableCreatedBy = (statement: string): string | undefined =>
  creation.exec(statement)?.[1];

/** The table into which a statement inserts, as the dump writes it. */
export const tableInsertedInto = (statement: string): string | undefined =>
  insertion.exec(statement)?.[1];

const createExtension = /^CREATE EXTENSION (?:IF NOT EXISTS )?("(?:[^"]|"")+"|[^\s;]+)/;

/** The name of the extension that a statement creates. */
export function extensionCreatedBy(statement: string): string | undefined {
  const name = createExtension.exec(statement)?.[1];
  return name === undefined ? undefined : unquoteIdentifier(name);
}

/** The table to which a statement adds something, and without which it is nothing. */
export function tableAddedTo(statement: string): string | undefined {
  for (const addition of additions) {
    const found = addition.exec(statement)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
