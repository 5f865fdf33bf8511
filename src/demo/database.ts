/** A small database like PratikoAI's: 31 documents, 128 chunks, and some of everything else. */
export const demoDatabase = String.raw`
CREATE TYPE document_status AS ENUM ('draft', 'published', 'archived');

CREATE TABLE users (
  id serial PRIMARY KEY,
  email text NOT NULL UNIQUE,
  full_name text NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  avatar bytea,
  last_login timestamptz
);

CREATE TABLE knowledge_items (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  author_id integer REFERENCES users (id),
  title text NOT NULL,
  body text NOT NULL,
  status document_status NOT NULL DEFAULT 'draft',
  tags text[] NOT NULL DEFAULT '{}',
  metadata jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz
);

CREATE TABLE document_chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id integer NOT NULL REFERENCES knowledge_items (id) ON DELETE CASCADE,
  position integer NOT NULL,
  content text NOT NULL,
  embedding double precision[] NOT NULL,
  UNIQUE (item_id, position)
);

CREATE SEQUENCE invoice_numbers START 2025001;

CREATE VIEW published_items AS
  SELECT i.id, i.title, u.full_name AS author, count(c.id) AS chunks
    FROM knowledge_items i
    LEFT JOIN users u ON u.id = i.author_id
    LEFT JOIN document_chunks c ON c.item_id = i.id
   WHERE i.status = 'published'
   GROUP BY i.id, u.full_name;

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$$;

CREATE TRIGGER knowledge_items_touch BEFORE UPDATE ON knowledge_items
  FOR EACH ROW EXECUTE FUNCTION touch();

INSERT INTO users (email, full_name, settings, avatar, last_login) VALUES
  ('giulia@example.it', 'Giulia D''Amico', '{"lingua": "it", "tema": "scuro"}', '\x89504e470d0a1a0a', '2025-11-28 18:30+01'),
  ('niccolo@example.it', 'Niccolò Però', '{"notifiche": ["email", "slack"]}', NULL, NULL),
  ('emoji@example.it', 'Zoë 🐘', '{}', '\x00ff', '2025-11-29 08:00+01');

INSERT INTO knowledge_items (author_id, title, body, status, tags, metadata, created_at)
SELECT CASE WHEN n % 7 > 0 THEN n % 3 + 1 END,
       format('Circolare n. %s: perché l''IVA è già dovuta', n),
       format(E'Gentile cliente,\n\tla novità è entrata in vigore: %s €.\nCosì è, più o meno. \\ ✅', n * 100),
       (ARRAY['draft', 'published', 'archived']::document_status[])[n % 3 + 1],
       ARRAY['fisco', 'città ' || n, NULL, 'a,b "c"'],
       CASE WHEN n % 5 > 0 THEN jsonb_build_object('anno', 2000 + n, 'fonte', 'Gazzetta Ufficiale', 'note', NULL) END,
       timestamptz '2025-11-01 09:00+01' + n * interval '1 hour'
  FROM generate_series(1, 31) AS n;

INSERT INTO document_chunks (item_id, position, content, embedding)
SELECT n % 31 + 1, n / 31, format('Paragrafo %s: l''aliquota, com''è noto, sarà del %s %%.', n, n % 23),
       ARRAY(SELECT sin(n * d) FROM generate_series(1, 16) AS d)
  FROM generate_series(0, 127) AS n;

SELECT nextval('invoice_numbers'), nextval('invoice_numbers');
UPDATE knowledge_items SET title = title || ' (aggiornata)' WHERE id % 10 = 0;
COMMENT ON TABLE knowledge_items IS 'Ciò che sappiamo; perduto una volta, mai più';
GRANT SELECT ON published_items TO PUBLIC;
`;
