/** What psql takes for the end of data. */
const endsOfCopy = ['\\.\n', '\\.\r\n'];
const maxEndOfCopy = 4;

/** Also true for the cut beginning of it at the very end: the next chunk decides. */
export function startsWithEndOfCopy(bytes: Buffer, at: number): boolean {
  const here = bytes.subarray(at, at + maxEndOfCopy).toString('latin1');
  const isCut = at + here.length === bytes.length;
  return endsOfCopy.some((end) => here.startsWith(end) || (isCut && end.startsWith(here)));
}

const quotedName = String.raw`"(?:[^"]|"")*"`;
const name = String.raw`(?:${quotedName}|[^\s("',;.]+)`;
/** COPY of text: of other formats (CSV, binary) psql and the server do not agree with us where rows end. */
const copyStatement = new RegExp(
  String.raw`^COPY\s+(${name}(?:\.${name})?)(?:\s*\((?:${quotedName}|[^"()])*\))?\s+FROM\s+stdin\s*;$`,
  'isu',
);

/** The table of `COPY public."My Table" (a, b) FROM stdin;`, or undefined for another statement. */
export function copyTarget(statement: string): string | undefined {
  return copyStatement.exec(statement)?.[1];
}

/** The columns of `COPY t (a, "b, c") FROM stdin;` as it writes them; undefined where it names none. */
export function columnsOf(copy: string): string[] | undefined {
  const list = /^COPY\s[^(]*\((.*)\)\s+FROM\s/is.exec(copy)?.[1];
  return list
    ?.match(new RegExp(`${quotedName}|[^",\\s][^",]*`, 'g'))
    ?.map((column) => column.trim());
}
