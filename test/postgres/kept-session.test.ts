import { expect, onTestFinished, test } from 'vitest';
import { contactMaintenance } from '../../src/postgres/contact.ts';
import { execute, within } from '../../src/postgres/psql.ts';
import { SqlError } from '../../src/postgres/sql-error.ts';
import { server, sql } from '../support/server.ts';

const backend = 'SELECT pg_backend_pid();';

async function kept() {
  const maintained = await contactMaintenance(server);
  onTestFinished(() => maintained[Symbol.asyncDispose]());
  return { maintained, ask: (text: string) => execute(maintained, 'postgres', text) };
}

test('questions one after the other are asked of one session, others of their own', async () => {
  const { maintained, ask } = await kept();
  const first = await ask(backend);
  expect(await ask(backend)).toBe(first);
  const limited = within(maintained, 10_000);
  expect(await execute(limited, 'postgres', backend)).not.toBe(first);
  const [one, other] = await Promise.all([ask(backend), ask(backend)]);
  expect(one).not.toBe(other);
  for (const answer of [one, other]) expect(answer).toMatch(/^\d+\n$/);
});

test('a session that was ended meanwhile is opened again', async () => {
  const { ask } = await kept();
  const pid = (await ask(backend)).trim();
  await sql('postgres', `SELECT pg_terminate_backend(${pid});`);
  expect((await ask(backend)).trim()).toMatch(/^\d+$/);
});

test('an error tells the line of its own question, and the next one is answered', async () => {
  const { ask } = await kept();
  await ask('SELECT 1;');
  const error: unknown = await ask('SELECT\n  nothing;').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SqlError);
  expect(error).toMatchObject({ code: '42703', line: 2 });
  expect(await ask('SELECT 7;')).toBe('7\n');
});

test('what it answers comes as it is: line separators of Unicode, empty lines', async () => {
  const { ask } = await kept();
  expect(await ask("SELECT U&'a\\2028b'; SELECT ''; SELECT 'c';")).toBe('a\u2028b\n\nc\n');
});
