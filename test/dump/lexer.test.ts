import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DumpLexer } from '../../src/dump/lexer.ts';
import type { Token } from '../../src/dump/token.ts';

/** The tokens of a text that arrives in these chunks, with neighbors of one kind joined. */
function tokens(chunks: readonly Buffer[]): string[] {
  const lexer = new DumpLexer();
  const all: Token[] = chunks.flatMap((chunk) => [...lexer.read(chunk)]);
  all.push(...lexer.end());
  const joined: { type: string; text: string; closed: boolean }[] = [];
  for (const token of all) {
    const last = joined.at(-1);
    const text = token.bytes.toString('latin1');
    if (last?.type === token.type && !last.closed) last.text += text;
    else joined.push({ type: token.type, text, closed: false });
    const ends =
      (token.type === 'sql' && token.statement) || (token.type === 'meta' && token.command);
    const current = joined.at(-1);
    if (current && ends) current.closed = true;
  }
  return joined.map(({ type, text }) => `${type}: ${text}`);
}

const read = (text: string) => tokens([Buffer.from(text)]);

describe('statements end at a semicolon that is code', () => {
  test.each([
    ["SELECT 'a;b';", 'a string'],
    ["SELECT 'it''s;';", 'a doubled quote'],
    [String.raw`SELECT 'a\';`, 'a backslash in a standard string'],
    [String.raw`SELECT E'a\';b';`, 'an escaped quote'],
    [String.raw`SELECT e'a''\';';`, 'an escaped quote after a doubled one'],
    ['SELECT "a;b";', 'a quoted name'],
    ['SELECT $$a;b$$;', 'a dollar quote'],
    ['SELECT $_$a;$$;$_ $_$;', 'a tagged dollar quote'],
    ['SELECT $1;', 'a parameter'],
    ['SELECT a$b$c;', 'dollars in a name'],
    ['SELECT 1 -- ; no\n;', 'a line comment'],
    ['SELECT 1 /* ; /* ; */ ; */;', 'nested comments'],
    ['SELECT 5 - -3;', 'a minus'],
    ['SELECT 6 / 3 * 2;', 'a division'],
    ['SELECT 2/**/*3;', 'a product behind a comment'],
    [String.raw`SELECT $$a$$E'\';';`, 'an escape string behind a dollar quote'],
    ["SELECT type'x;';", 'a name that ends in e'],
    ['CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);', 'parentheses'],
    [
      'CREATE FUNCTION f(begin integer) RETURNS integer BEGIN ATOMIC SELECT 1; SELECT CASE 1 WHEN 2 THEN 3 END; END;',
      'the body of a routine',
    ],
    ['create or replace procedure p() begin atomic select 1; end;', 'the same in small letters'],
    ['BEGIN;', 'a transaction'],
    ['SELECT 1);', 'a parenthesis that closes nothing'],
  ])('%s (%s)', (statement) => {
    expect(read(`${statement}\n\nSELECT 2;\n`)).toEqual([
      `sql: ${statement}`,
      'filler: \n\n',
      'sql: SELECT 2;',
      'filler: \n',
    ]);
  });
});

test('where standard strings are off, a backslash escapes in every string', () => {
  const text = String.raw`SET standard_conforming_strings = off;
SELECT 'a\';b';
SET standard_conforming_strings = on;
SELECT 'a\';`;
  expect(read(text).filter((token) => token.startsWith('sql'))).toHaveLength(4);
});

test.each([
  ['SJIS', [0x95, 0x5c]],
  ['GBK', [0xbf, 0x5c]],
  ['GB18030', [0x95, 0x5c]],
  ['JOHAB', [0x88, 0x5c]],
])('in %s, a byte that continues a character is no backslash', (encoding, character) => {
  const text = Buffer.concat([
    Buffer.from(
      `SET client_encoding = '${encoding}';\nSET standard_conforming_strings = off;\nSELECT '`,
    ),
    Buffer.from(character),
    Buffer.from(`';\nSELECT 'a\\'b';\n`),
  ]);
  expect(tokens([text]).filter((token) => token.startsWith('sql'))).toHaveLength(4);
  const bytes = Array.from(text, (byte) => Buffer.from([byte]));
  expect(tokens(bytes)).toEqual(tokens([text]));
});

describe('COPY data', () => {
  test('runs from the line after the statement to a line that is only a backslash and a dot', () => {
    expect(
      read('COPY public.t (a, b) FROM stdin;\n1\t\\N\n\\\\.\n\\.x\n;\n\n\\.\nSELECT 1;\n'),
    ).toEqual([
      'sql: COPY public.t (a, b) FROM stdin;',
      'filler: \n',
      'rows: 1\t\\N\n\\\\.\n\\.x\n;\n\n',
      'copyEnd: \\.\n',
      'sql: SELECT 1;',
      'filler: \n',
    ]);
  });

  test('ends where psql ends it, also before a carriage return', () => {
    expect(read('COPY t FROM stdin;\r\n1\r\n\\.\r\nSELECT 1;')).toEqual([
      'sql: COPY t FROM stdin;',
      'filler: \r\n',
      'rows: 1\r\n',
      'copyEnd: \\.\r\n',
      'sql: SELECT 1;',
    ]);
  });

  test.each([
    ["SELECT 'COPY t FROM stdin;';"],
    ['COPY t FROM stdin WITH (FORMAT binary);'],
    ['COPY t FROM stdin CSV;'],
    ['COPY t TO stdout;'],
    ["COPY t FROM '/file';"],
    ['SELECT $$\nCOPY t (a) FROM stdin;\n$$;'],
  ])('does not follow %s', (statement) => {
    expect(read(`${statement}\n1;`)).toEqual([`sql: ${statement}`, 'filler: \n', 'sql: 1;']);
  });

  test.each([
    ['COPY public.t (a) FROM stdin;', 'public.t'],
    ['COPY "a ""b"".;"."c d" ("e) FROM stdin; f", g) FROM stdin;', '"a ""b"".;"."c d"'],
    ['COPY public.no_columns  FROM stdin;', 'public.no_columns'],
    ['copy t from STDIN;', 't'],
  ])('%s goes into %s', (statement, table) => {
    const lexer = new DumpLexer();
    const [token] = lexer.read(Buffer.from(`${statement}\n`));
    expect(token).toMatchObject({ statement: { copyInto: table } });
  });
});

test('a psql command is seen at the start of a line and inside a statement, not in quotes', () => {
  expect(read("\\restrict abc\nSELECT '\\x' \\gexec\n")).toEqual([
    'meta: \\restrict abc\n',
    "sql: SELECT '\\x' ",
    'meta: \\gexec\n',
  ]);
});

const fragment = fc.constantFrom(
  ...[
    'COPY t (a) FROM stdin;\n',
    '\\.\n',
    '\\.',
    '\\',
    '.',
    '\n',
    ';',
    "'",
    "E'",
    '"',
    '$$',
    '$_$',
    '$1',
  ],
  ...[
    '--',
    '/*',
    '*/',
    '(',
    ')',
    'CREATE FUNCTION f() BEGIN ',
    ' END',
    '\\restrict k\n',
    'SELECT 1;',
    'a\tb\n',
    '\\N\n',
    'e',
    '-',
    '/',
    '*',
    'è',
  ],
);

test('the tokens are the same wherever the chunks are cut, and add up to the dump', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 40 }), fc.array(fc.nat(9)), (parts, cuts) => {
      const dump = Buffer.from(parts.join(''));
      const chunks: Buffer[] = [];
      for (let at = 0, index = 0; at < dump.length; index += 1) {
        const size = (cuts[index % Math.max(cuts.length, 1)] ?? 6) + 1;
        chunks.push(dump.subarray(at, at + size));
        at += size;
      }
      const whole = tokens([dump]);
      expect(tokens(chunks)).toEqual(whole);
      const text = whole.map((token) => token.replace(/^\w+: /, '')).join('');
      expect(text).toBe(dump.toString('latin1'));
    }),
    { numRuns: 2000 },
  );
});
