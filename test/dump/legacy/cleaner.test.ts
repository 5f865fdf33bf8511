import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DumpInspector } from '../../../src/dump/contents.ts';
import { AmbiguousMessage, isProgressMessage } from '../../../src/dump/legacy/messages.ts';
import { pollute } from '../../support/old-script.ts';

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

  test('a name with a line break makes two lines of a message: it stops', () => {
    const broken = polluted.replace('"public.f()"', '"public.f\nf()"');
    expect(() => clean(broken)).toThrow(AmbiguousMessage);
    expect(() => clean(broken)).toThrow('about a name with a line break');
  });

  test('what begins like one and is none stays, and so does one of another table among rows', () => {
    const odd = dump((text) => text)
      .replace('COPY public.t', 'pg_dump: SELECT 1;\n\nCOPY public.t')
      .replace('reading schemas\n\\.', 'processing data for table "public.u"\n\\.');
    const { text, messages } = clean(odd);
    expect(text).toContain('pg_dump: SELECT 1;');
    expect(text).toContain('pg_dump: processing data for table "public.u"\n\\.');
    expect(messages).toBe(8);
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
    ['one column that say the same', 1, 'pg_dump: processing data for table "public.t8"\n'],
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
            try {
              expect(clean(start + pollute(dump), size)).toEqual({ text: dump, messages });
            } catch (error) {
              // Only where a row is exactly what the message would be, and where.
              if (!(error instanceof AmbiguousMessage && dump.includes('\npg_dump: '))) throw error;
            }
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  test('what can only be a message, because its object begins too early to be spoken of later, is one', () => {
    const row = 'pg_dump: processing data for table "public.t8"\n';
    const dump = dumpOf(
      1,
      [107, 296, 82, 131].map((length) => `${'x'.repeat(length)}${row}`),
    );
    const messages = 2 + tables.length * 2;
    expect(clean(start + pollute(dump), 50)).toEqual({ text: dump, messages });
  });

  test('what they speak of must be there: one object more is a defect', () => {
    const more = `--\n-- Name: more; Type: TABLE; Schema: public; Owner: -\n--\n\nCREATE TABLE public.more ();\n\n\n`;
    const whole = pollute(dumpOf(3, ['1\t2\t3\n']));
    const inspector = new DumpInspector();
    const text = `${start}${whole.replace(marker, more + marker)}`;
    for (const _ of inspector.read(Buffer.from(text)));
    for (const _ of inspector.end());
    expect(inspector.contents().defect).toBe(
      'its messages of pg_dump speak of 0 objects and 9 tables, but it has 1 and 9',
    );
  });

  /** A dump of so many small tables and indexes, whose rows are these. */
  const manyObjects = (names: readonly string[], rows: readonly string[]) => {
    const object = (name: string, type: string, sql: string) =>
      `--\n-- Name: ${name}; Type: ${type}; Schema: public; Owner: -\n--\n\n${sql};\n\n\n`;
    const create = names.map((name) =>
      object(name, 'TABLE', `CREATE TABLE public.${name} (a text)`),
    );
    const data = names.map(
      (name) =>
        `--\n-- Data for Name: ${name}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\nCOPY public.${name} (a) FROM stdin;\n${rows.join('')}\\.\n\n\n`,
    );
    const index = names.map((name) =>
      object(`${name}_i`, 'INDEX', `CREATE INDEX ${name}_i ON public.${name} USING btree (a)`),
    );
    return [header('16.4'), ...create, ...data, ...index, marker].join('');
  };

  test('the comment of an object can be cut by them, at the end of every block', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 60, maxLength: 200 }),
        fc.integer({ min: 50, max: 9000 }),
        (lengths, size) => {
          const names = lengths.map((length, n) => `t${n}_${'x'.repeat(length)}`);
          const dump = manyObjects(names, []);
          const messages = 2 + names.length * 4;
          expect(clean(start + pollute(dump), size)).toEqual({ text: dump, messages });
        },
      ),
      { numRuns: 25 },
    );
  });

  test('rows that are what it says are never taken for it: they stay, or it stops', () => {
    const names = ['a', 'b', 'c'];
    const said = names.flatMap((name) => [
      `creating INDEX "public.${name}_i"`,
      `processing data for table "public.${name}"`,
      `dumping contents of table "public.${name}"`,
    ]);
    const row = fc.oneof(
      fc.constantFrom(...said).map((message) => `pg_dump: ${message}\n`),
      fc.integer({ min: 0, max: 90 }).map((length) => `${'x'.repeat(length)}\n`),
    );
    let exact = 0;
    fc.assert(
      fc.property(fc.array(row, { minLength: 20, maxLength: 400 }), (rows) => {
        const dump = manyObjects(names, rows);
        try {
          expect(clean(start + pollute(dump)).text).toBe(dump);
          exact += 1;
        } catch (error) {
          if (!(error instanceof AmbiguousMessage)) throw error;
        }
      }),
      { numRuns: 300 },
    );
    expect(exact).toBeGreaterThan(200);
  });

  test('nor is a row where the message itself is due a block later', () => {
    const row = 'pg_dump: creating INDEX "public.c_i"\n';
    let stopped = 0;
    for (let distance = 3900; distance < 4700; distance += 7) {
      const rowsBefore = (bytes: number) => `${'x'.repeat(bytes - 1)}\n`;
      const unfilled = manyObjects(['c'], [row]).indexOf(row);
      const before = rowsBefore(8192 - unfilled); // the row begins where a block does
      const behind = manyObjects(['c'], [before, row]);
      const due = behind.indexOf('--\n-- Name: c_i;') - 8192;
      const dump = manyObjects(['c'], [before, row, rowsBefore(distance - due)]);
      try {
        expect(clean(start + pollute(dump)).text, String(distance)).toBe(dump);
      } catch (error) {
        if (!(error instanceof AmbiguousMessage)) throw error;
        stopped += 1;
      }
    }
    expect(stopped).toBeLessThan(20);
  });

  test('one that speaks of no object may be data: it stops, and says what the two readings are', () => {
    const dump = dumpOf(1, ['a line\n'.repeat(2000)]);
    const at = 4096 * 2;
    const text = `${dump.slice(0, at)}pg_dump: warning: something\n${dump.slice(at)}`;
    expect(() => clean(start + text)).toThrow(
      /^at byte 8192 of the dump "pg_dump: warning: something" is either a message of pg_dump \(then the line is "a line"\) or a part of the data \(then it is "(a l?i?n?)?.*pg_dump: warning: something"\)$/,
    );
  });
});

/** SHA-256 of what these clients wrote to stdout alone, without the lines that tell the time. */
test.each([
  ['ordinary-17', 65, 'ab62234c4325eddd2149aa698f122d6281fd0951c4105950d2df1bc88d9d8fb7'],
  ['ordinary-18', 66, 'd4abc7561251a0e00d77b2c9d08343f4053699923285fc80beeab0d80357a74e'],
  ['adversarial-17', 132, 'b842e9dc7ccb01b4bfbceee27f5665215fb1702ca309cd66503208d36c191913'],
  ['adversarial-18', 133, '7b8d57ac0cc52f03627cfaac3655172760f7962845006b236b4928d33440c6df'],
])(
  'a file of the old script by a real pg_dump comes back to the byte: %s',
  (name, count, digest) => {
    const file = fileURLToPath(new URL(`old-script/${name}.sql.gz`, import.meta.url));
    const { text, messages } = clean(gunzipSync(readFileSync(file)).toString(), 5000);
    const timeless = text.replaceAll(/^-- (?:Started|Completed) on .*\n/gm, '');
    expect(messages).toBe(count);
    expect(createHash('sha256').update(timeless).digest('hex')).toBe(digest);
  },
);

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

test('what begins with a message and is no dump, and what ends before it tells its version, stays', () => {
  const read = (text: string) => {
    const inspector = new DumpInspector();
    const tokens = [...inspector.read(Buffer.from(text)), ...inspector.end()];
    return Buffer.concat(tokens.map(({ bytes }) => bytes)).toString();
  };
  const long = `${start}${'-- nothing of a dump\n'.repeat(200_000)}`;
  for (const text of [start, long]) expect(read(text)).toBe(text);
});
