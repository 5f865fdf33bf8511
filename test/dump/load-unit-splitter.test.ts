import { expect, test } from 'vitest';
import { DumpInspector } from '../../src/dump/contents.ts';
import { RoleFilter } from '../../src/dump/role-filter.ts';
import { LoadUnitSplitter } from '../../src/dump/load-unit-splitter.ts';
import type { LoadUnit } from '../../src/dump/load-unit.ts';
import { ReplayFilter } from '../../src/dump/replay-filter.ts';

const roles = {
  existing: new Set<string>(),
  assignable: new Set<string>(),
  impersonable: new Set<string>(),
};

/** The parts of a dump that arrives in chunks. */
function partsOf(sql: string, pieceBytes: number, chunkBytes = sql.length): LoadUnit[] {
  const ownership = new RoleFilter({ roles, owners: true, privileges: true });
  const reader = new LoadUnitSplitter(
    new ReplayFilter({ ownership, serverMajor: 15, superuser: true }),
    pieceBytes,
  );
  const inspector = new DumpInspector();
  const parts: LoadUnit[] = [];
  const dump = Buffer.from(sql);
  for (let at = 0; at < dump.length; at += chunkBytes) {
    for (const token of inspector.read(dump.subarray(at, at + chunkBytes))) {
      parts.push(...reader.read(token));
    }
  }
  for (const token of inspector.end()) parts.push(...reader.read(token));
  return [...parts, ...reader.end()];
}

const textOf = ({ sql }: LoadUnit) => Buffer.concat(sql).toString();

const tables = (isForeignKey: boolean, ...names: string[]) => ({
  type: 'tables',
  tables: names,
  isForeignKey,
});

test.each([
  ['SET default_tablespace = fast;', { type: 'session' }],
  ["SELECT pg_catalog.set_config('search_path', '', false);", { type: 'session' }],
  ["SELECT pg_catalog.setval('s', 1, true);", { type: 'independent' }],
  ["SELECT pg_catalog.lo_open('1', 131072);", { type: 'independent' }],
  ['ALTER TABLE ONLY public.a\n    ADD CONSTRAINT k PRIMARY KEY (id);', tables(false, 'public.a')],
  [
    'CREATE UNIQUE INDEX "i; x" ON public."T ""1" USING btree (a);',
    tables(false, 'public."T ""1"'),
  ],
  [
    'ALTER TABLE ONLY a\n    ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES s.b(id) ON DELETE CASCADE;',
    tables(true, 'a', 's.b'),
  ],
  ['CREATE INDEX i ON ONLY public.p USING btree (a);', undefined],
  ['ALTER INDEX public.i ATTACH PARTITION public.j;', undefined],
  ['CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f();', undefined],
  ['REFRESH MATERIALIZED VIEW public.m;', undefined],
])('%j: %j', (statement, order) => {
  expect(partsOf(`${statement}\n`, 1)[0]).toMatchObject({ type: 'statement', order });
});

test('what belongs to whoever creates it is created by the session that is somebody else', () => {
  const index = 'CREATE INDEX i ON s.t USING btree (a);';
  const dump = `SET SESSION AUTHORIZATION 'bob';\nSET a = 1;\n${index}\nRESET SESSION AUTHORIZATION;\n${index}\n`;
  const orders = partsOf(dump, 1).map((part) => part.type === 'statement' && part.order);
  expect(orders.slice(0, 5)).toEqual([
    undefined,
    { type: 'session' },
    undefined,
    undefined,
    tables(false, 's.t'),
  ]);
});

test.each([
  ['CREATE TABLE s.t (\n    a integer\n);', false],
  ['CREATE TABLE s.t (\n    a integer\n)\nINHERITS (s.u);', true],
  ['CREATE FOREIGN TABLE s.t (\n    a integer\n)\nSERVER far;', true],
])('%j: ANALYZE of another table reads it, too: %s', (statement, widensAnalyze) => {
  expect(partsOf(`${statement}\n`, 1)[0]).toMatchObject({ widensAnalyze });
});

test.each([1, 7, 64, 10_000])(
  'pieces are whole rows of the block, in chunks of %d bytes',
  (chunkBytes) => {
    const rows = Array.from({ length: 500 }, (_, n) => `${n}\t${'x'.repeat(n % 40)}\n`).join('');
    const copy = 'COPY public.t (a, b) FROM stdin;\n';
    const parts = partsOf(`SELECT 1;\n${copy}${rows}\\.\nSELECT 2;\n`, 1000, chunkBytes);
    const pieces = parts.filter(({ type }) => type === 'rows').map(textOf);
    const bare = pieces.map((piece) =>
      piece.slice(piece.indexOf(copy) + copy.length, -'\\.\n'.length),
    );
    expect(bare.length).toBeGreaterThan(1);
    expect(bare.join('')).toBe(rows);
    expect(bare.filter((piece) => !/(^|\n)$/.test(piece))).toEqual([]);
    expect(parts.map(textOf).filter((text) => text.includes('SELECT 2;'))).toHaveLength(1);
  },
);

test('each part knows the line of the dump with which it begins', () => {
  const parts = partsOf('SELECT 1;\n\nCOPY t FROM stdin;\n1\n2\n\\.\nSELECT\n  2;\n', 1);
  const lines = parts.map((part) => [part.line, textOf(part).trim().split('\n')[0]]);
  expect(lines.filter(([, text]) => text !== '')).toMatchObject([
    [1, 'SELECT 1;'],
    [3, 'COPY t FROM stdin;'],
    [7, 'SELECT'],
  ]);
});
