import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DumpInspector, type DumpContents } from '../../src/dump/contents.ts';

function inspect(text: string, chunkBytes = Infinity): DumpContents {
  const inspector = new DumpInspector();
  const dump = Buffer.from(text);
  for (let at = 0; at < dump.length; at += chunkBytes) {
    for (const _ of inspector.read(dump.subarray(at, at + chunkBytes)));
  }
  for (const _ of inspector.end());
  return inspector.contents();
}

const header = '--\n-- PostgreSQL database dump\n--\n\n';
const versions =
  '-- Dumped from database version 15.18 (Debian 1)\n-- Dumped by pg_dump version 16.1\n\nSET a = 1;\n\n';
const copy = 'COPY public.t (a) FROM stdin;\n1\n2\n\\.\n\n\n';
const marker = '--\n-- PostgreSQL database dump complete\n--\n\n';

const plain = `${header}${versions}${copy}${marker}`;
const restricted = `${header}\\restrict k3Y\n\n${versions}${copy}${marker}\\unrestrict k3Y\n\n`;

test.each([
  ['without', plain],
  ['with', restricted],
])('a whole dump %s \\restrict has no defect, and tells its rows', (_, dump) => {
  expect(inspect(dump)).toMatchObject({
    tables: [{ table: 'public.t', rows: 2 }],
    bytes: dump.length,
    messages: 0,
    defect: undefined,
  });
});

test('bytes that are no text end it', () => {
  expect(() => inspect(`${header}${versions}COPY public.t (a) FROM stdin;\na\0\n`)).toThrow(
    /^byte \d+ of the dump is no text \(NUL\)$/,
  );
});

test.each([
  ['nothing', '', 'the dump is empty'],
  ['no marker', header + versions + copy, 'no completion marker at the end: the dump was cut'],
  ['text after the marker', `${plain}-- x\n`, 'no completion marker at the end: the dump was cut'],
  ['two dumps', plain + plain, 'data after the completion marker of the dump'],
  [
    'a long comment, and more, after the marker',
    `${plain}-- ${'x'.repeat(5000)}\n${copy}${marker}`,
    'data after the completion marker of the dump',
  ],
  [
    'a dump that was cut, and a whole one',
    header + versions + copy + plain,
    'another dump begins in it',
  ],
  ['two restricted dumps', restricted + restricted, 'data after the completion marker of the dump'],
  [
    '\\unrestrict missing',
    restricted.replace('\\unrestrict k3Y\n\n', ''),
    'no \\unrestrict at the end: the dump was cut',
  ],
  [
    '\\unrestrict of another key',
    restricted.replace('\\unrestrict k3Y', '\\unrestrict other'),
    'no \\unrestrict at the end: the dump was cut',
  ],
  [
    '\\unrestrict alone',
    `${plain}\\unrestrict k3Y\n\n`,
    '\\unrestrict without \\restrict at the beginning',
  ],
  [
    'an open COPY',
    `${header}COPY public.t (a) FROM stdin;\n1\n${marker}`,
    'COPY of public.t is not closed: the dump was cut',
  ],
  ['an open string', `${header}SELECT '${marker}`, 'the dump was cut inside a statement'],
  [
    'an open function body',
    `${header}CREATE FUNCTION f() AS $$\n${marker}`,
    'the dump was cut inside a statement',
  ],
  [
    'the marker in a comment of a table',
    `${header}COMMENT ON TABLE t IS '\n${marker}';\n`,
    'no completion marker at the end: the dump was cut',
  ],
])('%s is a defect', (_, dump, defect) => {
  expect(inspect(dump).defect).toBe(defect);
});

test('a dump that is cut anywhere has a defect', () => {
  for (const dump of [plain, restricted]) {
    for (let length = 0; length < dump.length; length += 1) {
      expect(inspect(dump.slice(0, length)).defect, dump.slice(0, length).slice(-40)).toBeDefined();
    }
  }
});

test('rows that look like markers and ends are rows', () => {
  const rows = [
    '\\\\.',
    '--',
    '-- PostgreSQL database dump complete',
    '--',
    '',
    '\\N',
    'COPY x FROM stdin;',
  ];
  const dump = `${header}COPY public.t (a) FROM stdin;\n${rows.join('\n')}\n\\.\n\n\n${marker}`;
  expect(inspect(dump)).toMatchObject({ tables: [{ rows: rows.length }], defect: undefined });
});

test('chunks of any size give the same contents', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(plain, restricted, plain + copy),
      fc.integer({ min: 1, max: 99 }),
      (dump, bytes) => {
        expect(inspect(dump, bytes)).toEqual(inspect(dump));
      },
    ),
  );
});
