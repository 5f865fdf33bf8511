import { nastyDatabase } from '../support/adversarial-database.ts';

/** What only some versions know, by the first of them: each in a form that its dump must repeat. */
const features: readonly (readonly [since: number, sql: string])[] = [
  [
    14,
    `CREATE TABLE multiranges (a int4multirange); INSERT INTO multiranges VALUES ('{[1,3),[7,9)}');
     CREATE TABLE squeezed (a text COMPRESSION pglz);
     CREATE STATISTICS expressions ON (lower(name)) FROM many;`,
  ],
  [
    15,
    `CREATE TABLE one_null (a integer UNIQUE NULLS NOT DISTINCT); INSERT INTO one_null VALUES (NULL);
     CREATE VIEW invoked WITH (security_invoker = true) AS SELECT * FROM many;
     CREATE PUBLICATION some_rows FOR TABLE many (id, name) WHERE (id > 7);`,
  ],
  [
    16,
    `CREATE COLLATION ruled (provider = icu, locale = 'und', rules = '&a < z');
     CREATE TABLE json_only (a text CHECK (a IS JSON OBJECT)); INSERT INTO json_only VALUES ('{"a;": "''"}');
     CREATE VIEW json_made AS SELECT JSON_ARRAY(1, 'b;', NULL) AS a, JSON_OBJECT('k' : 1 ABSENT ON NULL) AS o;`,
  ],
  [
    17,
    `CREATE TABLE identified (id integer GENERATED ALWAYS AS IDENTITY, at date NOT NULL) PARTITION BY RANGE (at);
     CREATE TABLE identified_all PARTITION OF identified DEFAULT; INSERT INTO identified (at) VALUES ('2025-01-01'), ('2026-01-01');
     GRANT MAINTAIN ON many TO PUBLIC;
     CREATE VIEW json_rows AS SELECT * FROM JSON_TABLE('[{"a": 1}]', '$[*]' COLUMNS (a integer PATH '$.a'));
     CREATE FUNCTION merged() RETURNS SETOF integer LANGUAGE sql BEGIN ATOMIC
       MERGE INTO many AS m USING (SELECT 1 AS id) AS s ON m.id = s.id WHEN MATCHED THEN UPDATE SET name = 'x; y' RETURNING m.id; END;
     CREATE FUNCTION greet() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
     CREATE EVENT TRIGGER greeter ON login EXECUTE FUNCTION greet();`,
  ],
  [
    18,
    `CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a * 2) VIRTUAL, CONSTRAINT "a; is there" NOT NULL a);
     INSERT INTO computed VALUES (21);
     CREATE TABLE unchecked (a integer CHECK (a > 0) NOT ENFORCED); INSERT INTO unchecked VALUES (-1);
     CREATE TABLE not_yet (a integer); INSERT INTO not_yet VALUES (NULL); ALTER TABLE not_yet ADD CONSTRAINT later NOT NULL a NOT VALID;
     CREATE EXTENSION btree_gist;
     CREATE TABLE rooms (id integer, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
     CREATE TABLE stays (id integer, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES rooms (id, PERIOD during));
     INSERT INTO rooms VALUES (1, '[2025-01-01,2025-02-01)'), (1, '[2025-02-01,2025-03-01)');
     INSERT INTO stays VALUES (1, '[2025-01-15,2025-02-15)');
     CREATE TABLE ordered (id uuid DEFAULT uuidv7());`,
  ],
];

/** Everything that has ever confused a reader of dumps, as far as this version knows it. */
export function databaseFor(major: number, owner: string): string {
  const known = features.filter(([since]) => since <= major).map(([, sql]) => sql);
  const base = nastyDatabase(owner);
  // Bodies that are no strings came with 14.
  const all = major < 14 ? base.replace(/CREATE FUNCTION "a;b"[^]*?END;\n/, '') : base;
  return [all, ...known].join('\n');
}
