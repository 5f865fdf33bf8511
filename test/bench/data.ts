/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const onsets = [
  '',
  'b',
  'c',
  'd',
  'f',
  'g',
  'l',
  'm',
  'n',
  'p',
  'r',
  's',
  't',
  'v',
  'gl',
  'pr',
  'st',
  'tr',
  'qu',
  'sc',
];
const vowels = ['a', 'e', 'i', 'o', 'u', 'à', 'è', 'io', 'ia', 'ei'];
const endings = ['o', 'a', 'e', 'i', 'zione', 'mento', 'ità', 'are', 'ato', 'ente'];

/** A vocabulary with the sound of Italian. */
function vocabulary(random: () => number, size: number): string[] {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  return Array.from({ length: size }, () => {
    const syllables = 1 + Math.floor(random() * 3);
    const stem = Array.from({ length: syllables }, () => `${pick(onsets)}${pick(vowels)}`).join('');
    return `${stem}${pick(onsets)}${pick(endings)}`;
  });
}

export interface Scale {
  readonly items: number;
  readonly chunks: number;
  readonly messages: number;
  readonly readings: number;
}

/** About 545 MB of SQL. */
export const fullScale: Scale = {
  items: 50_000,
  chunks: 12_000,
  messages: 300_000,
  readings: 1_000_000,
};

/** The same in small: `factor` 1 is a sixty-fourth of the whole. */
export function smallScale(factor: number): Scale {
  const part = (count: number) => Math.round((count * factor) / 64);
  return {
    items: part(fullScale.items),
    chunks: part(fullScale.chunks),
    messages: part(fullScale.messages),
    readings: part(fullScale.readings),
  };
}

const schema = `
CREATE TABLE knowledge_items (id integer, title text, category text, body text, created_at timestamp);
CREATE TABLE chunks (id integer, item_id integer, position integer, embedding real[]);
CREATE TABLE chat_messages (id integer, session uuid, role text, content text, tokens integer, sent_at timestamp);
CREATE TABLE readings (id integer, sensor integer, value double precision, at timestamp);
`;

const constraints = `
ALTER TABLE knowledge_items ADD PRIMARY KEY (id);
ALTER TABLE chunks ADD PRIMARY KEY (id);
ALTER TABLE chat_messages ADD PRIMARY KEY (id);
ALTER TABLE readings ADD PRIMARY KEY (id);
CREATE INDEX ON knowledge_items (category);
CREATE INDEX ON chunks (item_id);
CREATE INDEX ON chat_messages (session);
CREATE INDEX ON readings (sensor, at);
ALTER TABLE chunks ADD FOREIGN KEY (item_id) REFERENCES knowledge_items (id);
`;

/** SQL for psql that makes a database like the team's; the same in every run. */
export function* makeData(scale: Scale): Generator<string> {
  const random = seededRandom(20251129);
  const words = vocabulary(random, 6000);
  // Some words are much more frequent than others, as in every language.
  const word = () => words[Math.floor(words.length * random() ** 3)] ?? '';
  const prose = (count: number) => {
    const text = Array.from({ length: count }, word);
    for (let at = 0; at < count; at += 8 + Math.floor(random() * 10)) {
      text[at] = `${text[at] ?? ''}.`;
    }
    return text.join(' ');
  };
  const integer = (below: number) => Math.floor(random() * below);
  const moment = () =>
    new Date(1.7e12 + random() * 6e10).toISOString().slice(0, 23).replace('T', ' ');
  const uuid = () =>
    'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () => integer(16).toString(16));

  yield schema;
  yield* copy('knowledge_items', scale.items, (id) => [id, prose(6), word(), prose(330), moment()]);
  yield* copy('chunks', scale.chunks, (id) => {
    const embedding = Array.from({ length: 1536 }, () => ((random() - 0.5) * 0.12).toFixed(8));
    return [id, 1 + integer(scale.items), id % 7, `{${embedding.join(',')}}`];
  });
  yield* copy('chat_messages', scale.messages, (id) => [
    ...[id, uuid(), id % 2 ? 'user' : 'assistant', prose(10 + integer(30)), integer(400), moment()],
  ]);
  yield* copy('readings', scale.readings, (id) => [id, integer(500), random() * 100, moment()]);
  yield constraints;
}

function* copy(
  table: string,
  rows: number,
  row: (id: number) => readonly (string | number)[],
): Generator<string> {
  yield `COPY ${table} FROM stdin;\n`;
  for (let id = 1; id <= rows; id += 100) {
    const last = Math.min(rows, id + 99);
    let text = '';
    for (let at = id; at <= last; at += 1) text += `${row(at).join('\t')}\n`;
    yield text;
  }
  yield '\\.\n';
}
