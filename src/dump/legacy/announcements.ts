/** How a comment above an object ends, and a statement after which rows begin. */
const endOfComment = '\n--\n';
const beforeRows = ' FROM stdin;\n';

/** Said before the first byte of the dump, and never later. */
const beforeTheDump =
  /^pg_dump: (?:last built-in|reading|identifying|finding|flagging|saving (?!large)|dropping|connecting|implied)/;

const namesAnObject = /^pg_dump: (?:creating|executing|processing data|dumping contents) /;

/** True for a message of which it can be told whether what it speaks of follows. */
export const canBeChecked = (line: string) => beforeTheDump.test(line) || namesAnObject.test(line);

/** Something in a dump of which pg_dump speaks once. */
export interface Place {
  /** What it says of it: what an object is, that its data comes, that its rows follow. */
  readonly kind: string;
  /** Where in the text pg_dump is when it speaks. */
  readonly at: number;
}

/**
 * The places in a stretch of a dump of which a message can speak.
 * @param from where to begin; rows are looked for from the beginning, for a COPY statement can be long.
 */
export function* placesOf(line: string, text: string, from: number): Generator<Place> {
  const created =
    /^pg_dump: creating (?<type>.+?) "(?<tag>.*)"$/.exec(line) ??
    /^pg_dump: executing (?<type>SEQUENCE SET|COMMENT|ACL|SECURITY LABEL) (?<tag>.*)$/.exec(line);
  if (created?.groups) {
    const { type = '', tag = '' } = created.groups;
    for (const name of afterDots(tag)) {
      for (const at of commentsWith(`Name: ${name}; Type: ${type};`, text, from)) {
        yield { kind: 'object', at };
      }
    }
    return;
  }
  const table = /^pg_dump: (processing data for|dumping contents of) table "(.*)"$/.exec(line);
  if (table) {
    for (const name of afterDots(table[2] ?? '')) {
      const comment = `Data for Name: ${name}; Type: TABLE DATA;`;
      const isRows = table[1] === 'dumping contents of';
      for (const start of commentsWith(comment, text, isRows ? 0 : from)) {
        const at = behind(isRows ? beforeRows : endOfComment, text, start);
        if (at !== undefined) yield { kind: isRows ? 'rows' : 'data', at };
      }
    }
    return;
  }
  if (/^pg_dump: (?:processing|executing BLOB|saving large objects)/.test(line)) {
    for (const type of ['BLOBS', 'BLOB', 'BLOB METADATA']) {
      for (const start of commentsWith(`; Type: ${type};`, text, from)) {
        const at = behind(endOfComment, text, start);
        if (at !== undefined) yield { kind: line, at };
      }
    }
  }
}

/** How much is said, or there, of each kind; large objects do not count, of them it speaks otherwise. */
export interface Announced {
  readonly objects: number;
  readonly rows: number;
}

/** What a message adds to what is said. */
export function announcedBy(line: string): Announced {
  const isObject = /^pg_dump: (?:creating|executing) (?!BLOB|SELECT )/.test(line);
  const isRows = line.startsWith('pg_dump: dumping contents of ');
  return { objects: Number(isObject), rows: Number(isRows) };
}

/** The line above an object, in a dump without messages. */
export const isObjectComment = (line: string) => /^-- Name: .*; Type: (?!BLOB)/.test(line);

function behind(ending: string, text: string, from: number): number | undefined {
  const found = text.indexOf(ending, from);
  return found === -1 ? undefined : found + ending.length;
}

/** What `--verbose` puts above the name from 16 on, and the beginning of its line. */
const verboseLines =
  /^(?:-- TOC entry \d+ \(class \d+ OID \d+\)\n)?(?:-- Dependencies: [\d ]+\n)?-- [^\n]*$/;

function* commentsWith(content: string, text: string, from: number): Generator<number> {
  for (let at = text.indexOf(content, from); at !== -1; at = text.indexOf(content, at + 1)) {
    const start = text.lastIndexOf('--\n-- ', at);
    if (start !== -1 && verboseLines.test(text.slice(start + '--\n'.length, at))) yield start;
  }
}

/** `public.a.b` → the names that can be meant: the schema's may have dots, too. */
function afterDots(qualified: string): string[] {
  const parts = qualified.split('.');
  return parts.map((_, index) => parts.slice(index).join('.'));
}
