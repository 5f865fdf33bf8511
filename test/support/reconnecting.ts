import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';

/** What a client was told, and how often: the answer, or the code of the error. */
export type Answers = Map<string, number>;

/** Starts clients that connect, ask and disconnect, again and again, until they are stopped. */
export function reconnectingClients(
  count: number,
  database: string,
  question: string,
  user: { readonly user?: string; readonly password?: string } = {},
) {
  const answers: Answers = new Map();
  let stopped = false;
  const note = (answer: string) => answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const clients = Array.from({ length: count }, async () => {
    while (!stopped) {
      const client = new Client({ ...inject('connection'), ...user, database });
      client.on('error', () => undefined); // the query that failed tells
      try {
        await client.connect();
        const { rows } = await client.query<[string]>({ text: question, rowMode: 'array' });
        note(rows.map((row) => row.join('|')).join('\n'));
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        note(code ?? message);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  });
  const stop = async (): Promise<Answers> => {
    stopped = true;
    await Promise.all(clients);
    return answers;
  };
  onTestFinished(async () => {
    await stop();
  });
  return { answers, stop };
}
