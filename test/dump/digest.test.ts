import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparableText } from '../../src/dump/comparable-text.ts';
import { compareDigests } from '../../src/dump/compare-digests.ts';
import { DumpInspector } from '../../src/dump/contents.ts';
import { DumpDigester, type DumpDigest } from '../../src/dump/digest.ts';

const header = '-- Dumped from database version 15.18\n-- Dumped by pg_dump version 15.18\n\n';

function digest(dump: string, like?: DumpDigest, cuts: readonly number[] = []): DumpDigest {
  const bytes = Buffer.from(dump);
  const inspector = new DumpInspector({ strict: false });
  const digester = new DumpDigester(like);
  const borders = [0, ...[...cuts].map((cut) => cut % bytes.length).sort((a, b) => a - b)];
  borders.forEach((from, index) => {
    const chunk = bytes.subarray(from, borders[index + 1] ?? bytes.length);
    for (const token of inspector.read(chunk)) digester.read(token);
  });
  for (const token of inspector.end()) digester.read(token);
  return digester.digest();
}

const copy = (rows: readonly string[], columns = 'a, b', lineEnd = '\n') =>
  `${header}COPY public.t (${columns}) FROM stdin;${lineEnd}${rows.map((row) => `${row}${lineEnd}`).join('')}\\.${lineEnd}`;

const object = (name: string, sql: string) =>
  `--\n-- Name: ${name}; Type: TABLE; Schema: public; Owner: -\n--\n\n${sql}\n\n`;

const rowOf = (dump: DumpDigest) => dump.tables.get('public.t');

const field = fc.stringMatching(/^[a-z]{0,6}$/);
const rows = fc.array(fc.tuple(field, field), { maxLength: 20 });
const lines = (table: readonly (readonly string[])[]) => table.map((row) => row.join('\t'));

describe('the digest of rows', () => {
  test('depends neither on their order nor on where the dump is cut', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(), { maxLength: 10 }), (table, cuts) => {
        const straight = rowOf(digest(copy(lines(table))));
        expect(rowOf(digest(copy(lines(table.toReversed())), undefined, cuts))).toEqual(straight);
      }),
    );
  });

  test('differs wherever one row does', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.tuple(field, field), (table, at, row) => {
        fc.pre(table.length > 0);
        const changed = table.with(at % table.length, row);
        const isSame = lines(changed).toSorted().join() === lines(table).toSorted().join();
        const [one, other] = [table, changed].map((each) => rowOf(digest(copy(lines(each)))));
        expect(one?.digest === other?.digest).toBe(isSame);
      }),
    );
  });

  test('takes columns in the order of the other dump, and lines that went through Windows', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(), { maxLength: 10 }), (table, cuts) => {
        const one = digest(copy(lines(table)));
        const turned = table.map((row) => row.toReversed());
        const other = digest(copy(lines(turned), 'b, a'), one, cuts);
        expect(rowOf(other)?.digest).toBe(rowOf(one)?.digest);
        const windows = digest(copy(lines(table), 'a, b', '\r\n'), undefined, cuts);
        expect(rowOf(windows)?.digest).toBe(rowOf(one)?.digest);
      }),
    );
  });
});

describe('definitions', () => {
  test.each([
    [
      "CHECK (((title)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
      "CHECK (((title)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
    ],
    [
      'CREATE TABLE public.c (\n    x integer,\n    a integer\n)\nINHERITS (public.p);',
      'CREATE TABLE public.c (\n    a integer,\n    x integer\n)\nINHERITS (public.p);',
    ],
    [
      "CREATE FUNCTION f(x text) RETURNS boolean\n    LANGUAGE sql\n    RETURN ((x)::text = ANY ((ARRAY['a'::character varying])::text[]));",
      "CREATE FUNCTION f(x text) RETURNS boolean\n    LANGUAGE sql\n    RETURN ((x)::text = ANY (ARRAY[('a'::character varying)::text]));",
    ],
  ])('%s is the same in other words', (one, other) => {
    expect(comparableText(one)).toBe(comparableText(other));
  });

  test.each([
    ["DEFAULT '(a)'", "DEFAULT 'a'"],
    ["COMMENT ON TABLE t IS 'a::text'", "COMMENT ON TABLE t IS 'a'"],
    ['CREATE FUNCTION f() AS $$ SELECT (1) $$', 'CREATE FUNCTION f() AS $$ SELECT 1 $$'],
    ['a integer', 'a bigint'],
    ['CHECK (((a OR b) AND c))', 'CHECK ((a OR (b AND c)))'],
    ['"a  b" integer', '"a b" integer'],
  ])('%s is not %s', (one, other) => {
    expect(comparableText(one)).not.toBe(comparableText(other));
  });

  test('of another pg_dump are compared as a list of objects', () => {
    const one = digest(
      `${header}${object('a', 'CREATE TABLE a ();')}${object('b', 'CREATE TABLE b ();')}`,
    );
    const other = digest(
      `${header.replaceAll('15.18', '16.1')}${object('a', 'CREATE TABLE a (x int);')}`,
    );
    expect(compareDigests(one, other, true)).toEqual({
      differences: ['TABLE public.b is missing'],
      definitionsBy: 'object',
      notCompared: [],
    });
  });

  test('owners count only where the backup has them and they could be given', () => {
    const owned = `${header}${object('a', 'CREATE TABLE a ();\n\nALTER TABLE a OWNER TO me;')}`;
    const own = owned.replace('OWNER TO me', 'OWNER TO you');
    const bare = owned.replace('ALTER TABLE a OWNER TO me;', '');
    const compare = (one: string, other: string, ownership = true) =>
      compareDigests(digest(one), digest(other), ownership).differences;
    expect(compare(owned, own)).toEqual(['TABLE public.a is not the same']);
    expect(compare(owned, own, false)).toEqual([]);
    expect(compare(bare, own)).toEqual([]);
  });
});

test('what differs in casts and parentheses alone is told, and not called the same', () => {
  const view = (sql: string) => digest(`${header}${object('v', `CREATE VIEW v AS ${sql};`)}`);
  const [one, other] = [view('SELECT ((a)::text OR b)'), view('SELECT (a OR b)')];
  expect(compareDigests(one, other, true)).toEqual({
    differences: [],
    definitionsBy: 'statement',
    notCompared: ['TABLE public.v, which the server writes with other casts or parentheses'],
  });
});

test('where a table is stored belongs to its definition', () => {
  const stored = (where: string) =>
    digest(`${header}SET default_tablespace = ${where};\n\n${object('t', 'CREATE TABLE t ();')}`);
  expect(compareDigests(stored("''"), stored('fast'), true).differences).toEqual([
    'TABLE public.t is not the same',
  ]);
});

test('columns in quotes are columns, wherever they stand', () => {
  const one = digest(copy(['1\t2\t3'], 'id, "userId", "createdAt"'));
  expect(one.tables.get('public.t')?.columns).toEqual(['id', '"userId"', '"createdAt"']);
  const other = digest(copy(['1\t2\t3'], 'id, "userId", "createdAt"'), one);
  expect(other.tables.get('public.t')).toEqual(one.tables.get('public.t'));
  const turned = digest(copy(['3\t1\t2'], '"createdAt", id, "userId"'), one);
  expect(turned.tables.get('public.t')?.digest).toBe(one.tables.get('public.t')?.digest);
});

test('INSERT statements are counted, also long ones', () => {
  const long = `INSERT INTO public.t VALUES ('${'x'.repeat(300_000)}');\n`;
  const { inserts, definitions } = digest(`${header}INSERT INTO public.t VALUES (1);\n${long}`);
  expect(inserts).toBe(2);
  expect([...definitions.values()]).toEqual([]);
});
