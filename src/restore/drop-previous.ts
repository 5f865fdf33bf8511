import { messageOf } from '../base/errors.ts';
import { quoteIdentifier } from '../base/sql.ts';
import type { Context } from '../context.ts';
import { dropDatabase } from '../postgres/databases.ts';
import { within, type Server } from '../postgres/psql.ts';
import { SqlError } from '../postgres/sql-error.ts';
import type { RestorePlan } from './plan.ts';

const dropTimeoutMs = 60_000;
/** SQLSTATE of an object of the wrong kind: a template is not dropped. */
const isTemplate = '42809';

/**
 * Drops the database that was replaced.
 * @returns whether it is gone; a warning tells why not.
 */
export async function dropPrevious(
  { log }: Context,
  server: Server,
  { previous }: RestorePlan,
): Promise<boolean> {
  if (previous === undefined) return false;
  try {
    // Also after an interruption: the restore is done.
    await dropDatabase(within(server, dropTimeoutMs), previous);
    return true;
  } catch (error) {
    const name = quoteIdentifier(previous);
    const isProtected = error instanceof SqlError && error.code === isTemplate;
    const first = isProtected ? `ALTER DATABASE ${name} IS_TEMPLATE false; ` : '';
    log.warn(
      { hint: `${first}DROP DATABASE ${name} when nothing uses it any more` },
      `the restore is done, but the previous database could not be dropped: ${messageOf(error)}`,
    );
    return false;
  }
}
