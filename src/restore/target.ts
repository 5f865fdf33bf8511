import { Failure } from '../base/errors.ts';
import type { Context } from '../context.ts';

/** @throws Failure `usage` for a database that no backup can replace. */
export function requireOwnDatabase({ config }: Context): void {
  const { database } = config.connection;
  if (!['postgres', 'template0', 'template1'].includes(database)) return;
  throw new Failure('usage', `"${database}" is a database of the server itself`, {
    hint: 'set POSTGRES_DB, DB_NAME or --to to the database to restore',
  });
}
