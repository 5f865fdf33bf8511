/** A string as an SQL identifier, whatever it contains. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that an identifier stands for, quoted or not. */
export const unquoteIdentifier = (identifier: string) =>
  identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;

/** A string as an SQL literal, whatever it contains. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** As SQL: whether a text, which need not be valid in the encoding of the database, begins so. */
export const startsWith = (text: string, beginning: string) =>
  `substring(textsend(${text}) FOR ${Buffer.byteLength(beginning)}) = '\\x${Buffer.from(beginning).toString('hex')}'::bytea`;

/** A name as SQL has it, as a pattern; and one with its schema or without, as a group. */
export const identifier = String.raw`(?:"(?:[^"]|"")*"|[^\s'".,;()]+)`;
export const qualified = String.raw`(${identifier}(?:\.${identifier})?)`;
