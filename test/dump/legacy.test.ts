import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DumpInspector } from '../../src/dump/contents.ts';
import { isProgressMessage } from '../../src/dump/legacy.ts';

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
  const row = 'a user\tuser@example.com\tpg_dump: reading schemas\n';
  const dump = `${header('16.4')}COPY public.t (a, b, c) FROM stdin;\n${row.repeat(1000)}\\.\n\n\n${marker}`;

  /** Puts messages where the buffer of pg_dump was flushed. */
  const pollute = (blocks: readonly number[]): string => {
    let text = '';
    for (let at = 0; at < dump.length; at += 4096) {
      const here = blocks.filter((block) => block === at / 4096);
      text += here
        .map((block) => `pg_dump: processing data for table "public.t${block}"\n`)
        .join('');
      text += dump.slice(at, at + 4096);
    }
    return text;
  };

  test('they go from the middle of rows, and rows with the same words stay', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12)), fc.integer({ min: 1, max: 9000 }), (blocks, size) => {
        const messages = 2 + blocks.filter((block) => block <= dump.length / 4096).length;
        expect(clean(start + pollute(blocks), size)).toEqual({ text: dump, messages });
      }),
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
