const name = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
/** A string, or a cast as the server writes it (`::character varying(20)`), or what only surrounds. */
const parts = new RegExp(
  String.raw`('(?:[^']|'')*')|::(?:character varying|double precision|bit varying|time(?:stamp)?(?:\(\d+\))? with(?:out)? time zone|${name}(?:\.${name})?)(?:\(\d+(?:, ?\d+)?\))?(?:\[\])*|[()\s]`,
  'g',
);

/** Definitions whose text the server keeps as it was given. */
const literal = /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) /;

/**
 * The text of a definition without what the server writes in another way when it has read its own words:
 * casts move inside arrays (`(ARRAY['a'])::text[]` becomes `ARRAY['a'::text]`), and parentheses with them.
 */
export const comparableText = (statement: string): string =>
  literal.test(statement)
    ? statement
    : statement.replaceAll(parts, (_, text: string | undefined) => text ?? '');
