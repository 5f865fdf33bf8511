import type { Connection } from '../config/connection.ts';

const timeoutMs = 5_000;

/** What servers answer whose certificate must be checked is not asked for with a client that does not. */
const checked = ['verify-ca', 'verify-full'];

/**
 * The SQLSTATE with which a server refuses a connection. libpq tells only the message, which is in the
 * server's language.
 * @returns undefined where the connection is not refused, or not by a server.
 */
export async function refusalOf(
  { host, port, user, password, through }: Connection,
  database: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const mode = environment.PGSSLMODE ?? 'prefer';
  if (checked.includes(mode) || host === undefined || port === undefined || through !== undefined) {
    return undefined;
  }
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

/**
 * SQLSTATE as a server that speaks English says it. It need not be asked once more then; where certificates must be
 * checked, or where it is behind a command, it cannot be.
 */
const sayings: readonly (readonly [code: string, said: RegExp])[] = [
  ['28P01', /password authentication failed/],
  ['28000', /no pg_hba\.conf entry|role "[^]*" does not exist|not permitted to log in/],
  ['3D000', /database "[^]*" does not exist/],
  ['42501', /permission denied for database/],
  ['53300', /too many clients|too many connections|remaining connection slots/],
  ['55000', /is not currently accepting connections/],
  ['57P03', /the database system is (?:starting up|shutting down|in recovery mode|not yet)/],
];

/** What a refusal means that is in English; undefined for any other. */
export const refusalSaid = (stderr: string) =>
  sayings.find(([, said]) => /FATAL: {2}/.test(stderr) && said.test(stderr))?.[0];
