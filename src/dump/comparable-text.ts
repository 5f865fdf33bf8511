const name = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const type = String.raw`(?:character varying|double precision|bit varying|time(?:stamp)?(?:\(\d+\))? with(?:out)? time zone|${name}(?:\.${name})?)(?:\(\d+(?:, ?\d+)?\))?`;
const text = String.raw`'(?:[^']|'')*'`;
/** A cast of an array that is written out: `((ARRAY['a'::character varying, …])::text[])`. */
const arrayCast = new RegExp(
  String.raw`\(\(ARRAY\[((?:${text}|[^'\[\]])*)\]\)::(${type})\[\]\)`,
  'g',
);
/** One of its elements. */
const element = new RegExp(String.raw`(?:${text}|\([^()]*\)|[^',])+`, 'g');
/** A string or a name in quotes, or a cast, or what only surrounds. */
const surroundings = new RegExp(
  String.raw`(${text}|"(?:[^"]|"")*")|::${type}(?:\[\])*|[()\s]`,
  'g',
);

/** Functions whose body is a string: the server keeps it as it was given. */
const literal = /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) [^]*?\n\s+AS (?:\$|E?')/;
/** A table that inherits: its own columns come behind the inherited ones when it is made anew. */
const heir = /^(CREATE (?:UNLOGGED )?TABLE [^\n]*\n)([^]*)(\n\)\nINHERITS \([^]*)$/;

/**
 * The text of a definition as the server writes it when it has read its own words: a cast of an array moves to
 * its elements (`(ARRAY['a', 'b'])::text[]` becomes `ARRAY[('a')::text, ('b')::text]`), and columns of a table
 * that inherits behind those that it inherits.
 */
export function comparableText(statement: string): string {
  if (literal.test(statement)) return statement;
  return statement
    .replaceAll(arrayCast, (_, elements: string, cast: string) => {
      const each = (elements.match(element) ?? []).map((one) => `(${one.trim()})::${cast}`);
      return `(ARRAY[${each.join(', ')}])`;
    })
    .replace(heir, (_, head: string, columns: string, tail: string) => {
      const sorted = columns.split('\n').map((line) => line.replace(/,$/, ''));
      return head + sorted.sort().join('\n') + tail;
    });
}

/** The same without casts, parentheses and white space: what is equal here need not say the same. */
export const looseText = (statement: string): string =>
  literal.test(statement)
    ? statement
    : statement.replaceAll(surroundings, (_, kept: string | undefined) => kept ?? '');
