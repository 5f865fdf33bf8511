import fc from 'fast-check';
import { expect, test } from 'vitest';
import { installation } from '../../support/cli.ts';
import { dump, temporaryDatabase } from '../../support/server.ts';

/** Makes a table of 100 rows too large to be a tiny one, which the session that leads would load. */
const pad = "pad text DEFAULT repeat('x', 3000)";

/** Each makes objects of a name, and looks into the table `base` while rows are loaded. */
const kinds: Record<string, (name: string, base: string) => string> = {
  'plain tables with keys': (name, base) => `
    CREATE TABLE ${name} (id integer PRIMARY KEY, a integer REFERENCES ${base}, ${pad});
    INSERT INTO ${name} SELECT id, id FROM ${base}; CREATE INDEX ON ${name} (a, id);`,
  'a partition key': (name, base) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS boolean LANGUAGE sql IMMUTABLE
      AS 'SELECT EXISTS (SELECT FROM public.${base} WHERE id = i)';
    CREATE TABLE ${name} (a integer) PARTITION BY LIST (f_${name}(a));
    CREATE TABLE ${name}_t PARTITION OF ${name} FOR VALUES IN (true);
    CREATE TABLE ${name}_f PARTITION OF ${name} DEFAULT;
    INSERT INTO ${name} SELECT id FROM ${base} UNION ALL SELECT -5;`,
  'a check': (name, base) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS boolean LANGUAGE plpgsql
      AS 'BEGIN RETURN EXISTS (SELECT FROM public.${base} WHERE id = i); END';
    CREATE TABLE ${name} (a integer CHECK (f_${name}(a)), ${pad});
    INSERT INTO ${name} SELECT id FROM ${base};`,
  'a generated column': (name, base) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS bigint LANGUAGE sql IMMUTABLE
      AS 'SELECT count(*) FROM public.${base} WHERE id <= i';
    CREATE TABLE ${name} (a integer, n bigint GENERATED ALWAYS AS (f_${name}(a)) STORED);
    INSERT INTO ${name} SELECT id FROM ${base};`,
  'a domain': (name, base) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS boolean LANGUAGE plpgsql
      AS 'BEGIN RETURN EXISTS (SELECT FROM public.${base} WHERE id = i); END';
    CREATE DOMAIN d_${name} AS integer CHECK (f_${name}(VALUE));
    CREATE TABLE ${name} (a d_${name});
    INSERT INTO ${name} SELECT id FROM ${base};`,
  'its own rows': (name) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS boolean LANGUAGE plpgsql
      AS 'BEGIN RETURN i = 0 OR EXISTS (SELECT FROM public.${name} WHERE a = i - 1); END';
    CREATE TABLE ${name} (a integer);
    INSERT INTO ${name} SELECT n FROM generate_series(0, 50) AS n;
    ALTER TABLE ${name} ADD CHECK (f_${name}(a));`,
  'an index and a view': (name, base) => `
    CREATE FUNCTION f_${name}(i integer) RETURNS bigint LANGUAGE sql IMMUTABLE
      AS 'SELECT count(*) FROM public.${base} WHERE id <= i';
    CREATE TABLE ${name} (a integer); INSERT INTO ${name} SELECT id FROM ${base};
    CREATE UNIQUE INDEX ON ${name} (f_${name}(a));
    CREATE MATERIALIZED VIEW m_${name} AS SELECT sum(f_${name}(a)) FROM ${name};`,
  children: (name, base) => `
    CREATE TABLE ${name} (a integer); CREATE TABLE ${name}_c (b text) INHERITS (${name});
    INSERT INTO ${name} SELECT id FROM ${base}; INSERT INTO ${name}_c SELECT id, 'x' FROM ${base};
    CREATE TABLE ${name}_r (id serial PRIMARY KEY, r integer REFERENCES ${name}_r);
    INSERT INTO ${name}_r (r) VALUES (NULL), (1), (2);`,
};

test('whatever the schema, several sessions load what one does, or fail where it does', async () => {
  const part = fc.tuple(fc.constantFrom(...Object.values(kinds)), fc.constantFrom('a', 'm', 'z'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 4, maxLength: 9 }),
      fc.integer({ min: 1, max: 300 }),
      async (parts, rows) => {
        // Its rows are loaded before those of some, and after those of others.
        const base = `CREATE TABLE base (id integer PRIMARY KEY, ${pad});
          INSERT INTO base SELECT generate_series(1, ${rows});`;
        const objects = parts.map(([make, letter], n) => make(`${letter}${n}`, 'base'));
        const database = await temporaryDatabase(base + objects.join(''));
        const { run } = await installation(database);
        expect(await run(['backup'])).toExitWith(0);
        const restored = async (jobs: string) => {
          const to = `${database}_${jobs}`;
          const { exitCode } = await run(['restore', '--yes', '--to', to, '--jobs', jobs]);
          return { exitCode, content: exitCode === 0 ? await dump(to) : undefined };
        };
        expect(await restored('3')).toEqual(await restored('1'));
      },
    ),
    { numRuns: Number(process.env.FC_RUNS ?? 4) },
  );
  // Each schema is backed up once and restored twice: minutes, where the machine has other work.
}, 600_000);
