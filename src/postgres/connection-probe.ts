import type { Connection } from '../config/config.ts';

const timeoutMs = 5_000;

/** What servers answer whose certificate must be checked is not asked for with a client that does not. */
const checked = ['verify-ca', 'verify-full'];

/**
 * The SQLSTATE with which a server refuses a connection. libpq tells only the message, which is in the
 * server's language.
 * @returns undefined where the connection is not refused, or not by a server.
 */
export async function refusalOf(
  { host, port, user, password }: Connection,
  database: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const mode = environment.PGSSLMODE ?? 'prefer';
  if (checked.includes(mode)) return undefined;
  const { Client } = (await import('pg')).default;
  for (const ssl of mode === 'disable' ? [false] : [{ rejectUnauthorized: false }, false]) {
    const client = new Client({
      ...{ host, port, user, password, database, ssl },
      connectionTimeoutMillis: timeoutMs,
    });
    client.on('error', () => undefined); // what connecting says is what matters
    try {
      await client.connect();
      return undefined;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (/^[0-9A-Z]{5}$/.test(code)) return code;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return undefined;
}
