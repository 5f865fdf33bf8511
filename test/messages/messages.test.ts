import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { collectMessages, type Told } from './collect.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const messages = collectMessages(`${root}src`);
const textsOf = ({ message, hint = '' }: Told) => [message, hint].filter((text) => text !== '');
const where = (found: readonly Told[]) =>
  found.map(({ at, message, hint }) => ({ at, message, hint }));

test('there are messages to read', () => {
  expect(messages.filter(({ kind }) => kind === 'error').length).toBeGreaterThan(80);
  expect(messages.length).toBeGreaterThan(200);
});

test('every error says what to do', () => {
  const silent = messages.filter(({ kind, hint }) => kind === 'error' && hint === undefined);
  expect(where(silent)).toEqual([]);
});

/** PostgreSQL's error style guide: no capital letter at the beginning, no period at the end. */
test('a message is a clause, not a sentence', () => {
  const sentences = messages.filter((told) =>
    textsOf(told).some(
      (text) => (/^[A-Z][a-z]/.test(text) && !text.startsWith('PostgreSQL')) || /[.!]$/.test(text),
    ),
  );
  expect(where(sentences)).toEqual([]);
});

test('no message begs, swears, or says that something could not be done without saying what', () => {
  const words = /\b(?:please|sorry|oops|unable|illegal|failed to|something went wrong)\b/i;
  const weak = messages.filter((told) => textsOf(told).some((text) => words.test(text)));
  expect(where(weak)).toEqual([]);
});

/** In PostgreSQL's manual (`mv` in that of the shell), and by chance not in our README. */
const inTheManual = new Set(
  `afterwards arrive assigned background becomes belong chosen compare constraints correct decide decrypted definitions early
   fetch fetching finish gave going hides meanwhile measure move mv nearly our permissions piece processes refuse refused
   release rename scratch searched sections seems sense setval short shown sign silence started subscription sure
   symbolic taking tries trying update updated usable uses`.split(/\s+/),
);

test("every word is one of the README or of PostgreSQL's manual", () => {
  const readme = readFileSync(`${root}README.md`, 'utf8').toLowerCase();
  const known = new Set([...(readme.match(/[a-z]+/g) ?? []), ...inTheManual]);
  const strange = messages.flatMap((told) =>
    wordsOf(textsOf(told).join(' '))
      .filter((word) => !known.has(word))
      .map((word) => `${told.at}: ${word}`),
  );
  expect(strange).toEqual([]);
});

/** Words for people: no commands, options, paths and names. */
function wordsOf(text: string): string[] {
  const words = /(?<![\w$/.-])[a-z]+(?:'[a-z]+)?(?![\w/]|\.[a-z]|-\w)/g;
  return (text.replaceAll(/`[^`]*`/g, ' ').match(words) ?? []).map((word) =>
    word.replace(/'s$/, ''),
  );
}
