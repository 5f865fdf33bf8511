import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DumpInspector } from '../../src/dump/contents.ts';
import { isProgressMessage } from '../../src/dump/legacy-messages.ts';
import { pollute } from '../support/old-script.ts';

/** The dump without messages, and how many there were; the text arrives in chunks of this size. */
function clean(text: string, chunkBytes = Infinity): { text: string; messages: number } {
  const inspector = new DumpInspector();
  const kept: Buffer[] = [];
  const dump = Buffer.from(text);
  for (let at = 0; at < dump.length; at += chunkBytes) {
    for (const token of inspector.read(dump.subarray(at, at + chunkBytes))) {
      if (token.type !== 'message') kept.push(Buffer.from(token.bytes));
    }
  }
  for (const token of inspector.end()) kept.push(token.bytes);
  const { messages, defect } = inspector.contents();
  expect(defect).toBeUndefined();
  return { text: Buffer.concat(kept).toString(), messages };
}

const start = 'pg_dump: last built-in OID is 16383\npg_dump: reading schemas\n';
const header = (version: string) =>
  `--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n-- Dumped by pg_dump version ${version}\n\nSET a = 1;\n\n`;
const marker = '--\n-- PostgreSQL database dump complete\n--\n\n';

describe('up to version 15 messages stand by line', () => {
  const dump = (message: (text: string) => string) =>
    [
      message(start),
      header('15.18'),
      message('pg_dump: creating FUNCTION "public.f()"\n'),
      '--\n-- Name: f\n--\n\nCREATE FUNCTION f() AS $$\npg_dump: reading schemas\n$$;\n\n\n',
      message('pg_dump: processing data for table "public.t"\n'),
      'COPY public.t (a) FROM stdin;\n',
      message('pg_dump: dumping contents of table "public.t"\n'),
      'pg_dump: dumping contents of table "public.t"\npg_dump: reading schemas\n\\.\n\n\n',
      message('pg_dump: warning: there are circular foreign-key constraints on this table:\n'),
      message('pg_dump: detail: t\npg_dump: hint: disable triggers\n'),
      marker,
    ].join('');
  const polluted = dump((text) => text);
  const expected = dump(() => '');

  test('they go, the same words in a body and in rows stay', () => {
    expect(clean(polluted)).toEqual({ text: expected, messages: 8 });
  });

  test.each([1, 2, 3, 10, 64])('in chunks of %d bytes', (size) => {
    expect(clean(polluted, size)).toEqual({ text: expected, messages: 8 });
  });

  test('a notice of the server before everything is one of them', () => {
    const text = 'WARNING:  database "x" has a collation version mismatch\nDETAIL:  y\nHINT:  z\n';
    expect(clean(text + polluted)).toEqual({ text: expected, messages: 11 });
  });
});

describe('from version 16 on they stand at multiples of 4096 bytes', () => {
  const tables = Array.from({ length: 9 }, (_, index) => `t${index}`);
  const blocks = (columns: number, rows: readonly string[]) =>
    tables
      .map(
        (table) =>
          `--\n-- Data for Name: ${table}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\nCOPY public.${table} (${'abc'.slice(0, columns).split('').join(', ')}) FROM stdin;\n${rows.join('')}\\.\n\n\n`,
      )
      .join('');
  const dumpOf = (columns: number, rows: readonly string[]) =>
    `${header('16.4')}${blocks(columns, rows)}${marker}`;

  test.each([
    ['several columns', 3, 'a user\tuser@example.com\tpg_dump: reading schemas\n'],
    ['one column', 1, 'pg_dump: processing data for table "public.t8"\n'],
    ['one column of other words', 1, 'a line that is somewhat longer than the others\n'],
  ])(
    'they go from the middle of rows of %s, and rows with the same words stay',
    (_, columns, row) => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 40 }),
          fc.integer({ min: 50, max: 9000 }),
          (lengths, size) => {
            const dump = dumpOf(
              columns,
              lengths.map((length) => `${'x'.repeat(length)}${row}`),
            );
            const messages = 2 + tables.length * 2;
            expect(clean(start + pollute(dump), size)).toEqual({ text: dump, messages });
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test('one that speaks of no object may be data: it stops, and says what the two readings are', () => {
    const dump = dumpOf(1, ['a line\n'.repeat(2000)]);
    const at = 4096 * 2;
    const text = `${dump.slice(0, at)}pg_dump: warning: something\n${dump.slice(at)}`;
    expect(() => clean(start + text)).toThrow(
      /^at byte 8192 of the dump "pg_dump: warning: something" is either a message of pg_dump \(then the line is "a line"\) or a part of the data \(then it is "(a l?i?n?)?.*pg_dump: warning: something"\)$/,
    );
  });
});

test('a dump without messages is left as it is, whatever its rows say', () => {
  const dump = `${header('15.18')}COPY public.t (a) FROM stdin;\n${start}\\.\n\n\n${marker}`;
  expect(clean(dump)).toEqual({ text: dump, messages: 0 });
});

test.each([
  ['pg_dump: saving search_path = ', true],
  ['pg_dump: creating SEQUENCE OWNED BY "public.users_id_seq"', true],
  ['pg_dump: executing SEQUENCE SET users_id_seq', true],
  ['pg_dump: processing data for table "public.t"', true],
  ['pg_dump: something a user wrote', false],
  [' pg_dump: reading schemas', false],
])('%j is a message: %s', (line, expected) => {
  expect(isProgressMessage(line)).toBe(expected);
});
