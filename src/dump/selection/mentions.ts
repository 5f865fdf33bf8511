/** A name as SQL has it, as a pattern: with letters of any language. */
export const word = String.raw`(?:"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*)`;

/** What an operator is called, as a pattern. */
const symbol = String.raw`[-+*/<>=~!@#%^&|?\x60]+`;

/** A name with its schema, or an operator with its own (`OPERATOR(public.<->)`), as a pattern. */
export const qualifiedWord = String.raw`${word}\.(?:${word}|${symbol})`;

/** A name with its schema, as pg_dump writes each: in definitions, and in strings (`nextval('public.s')`). */
const mention = new RegExp(String.raw`(?<![\p{L}\p{N}_$."])${qualifiedWord}`, 'gu');

/** The names with their schema that stand in texts. */
export const mentionsOf = (texts: readonly string[]): Set<string> =>
  new Set(texts.flatMap((text) => text.match(mention) ?? []));

export const firstMention = (text: string): string | undefined => text.match(mention)?.[0];

/** The schema of a name, as it stands there. */
export const schemaOf = (name: string): string | undefined =>
  name.match(new RegExp(word, 'u'))?.[0];
