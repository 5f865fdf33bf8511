import { orLost } from '../backup/lost-database.ts';
import { quoteIdentifier } from '../base/sql.ts';
import { serverLabel } from '../config/place.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { configuredServer, type Context } from '../context.ts';
import { answeringWithin } from '../postgres/connection.ts';
import { contact, contactMaintenance } from '../postgres/contact.ts';
import { surveyServer, type ServerFacts } from '../restore/server-facts.ts';
import { toolCheck, versionCheck } from './tool-checks.ts';
import { failedBy, ok, warning, type Check } from './check.ts';
import { insideChecks } from './inside-checks.ts';
import { restoreChecks } from './restore-checks.ts';

/** So long a server may let us wait. */
const connectSeconds = 5;

/** The programs of PostgreSQL, the connection, and what the user may do there. */
export async function serverChecks(
  context: Context,
  lastBackup: Backup | undefined,
): Promise<{ readonly checks: Check[]; readonly facts: ServerFacts | undefined }> {
  const checks: Check[] = [];
  const last = lastBackup?.manifest;
  const pgDump = await toolCheck('pg_dump', context, checks);
  const psql = await toolCheck('psql', context, checks);
  if (psql === undefined) return { checks: [...once(checks), notChecked], facts: undefined };
  const { database, user } = context.config.connection;
  try {
    const server = answeringWithin(await configuredServer(context), connectSeconds);
    const contacted = await contact(server, database);
    checks.push(
      ok(
        'connection',
        `"${database}" on ${serverLabel(context.config.connection)} as "${user}", PostgreSQL ${contacted.version}`,
      ),
    );
    if (pgDump !== undefined) checks.push(versionCheck(pgDump, contacted.version));
    checks.push(...(await insideChecks(contacted.server, context)));
    await using maintained = await contactMaintenance(server);
    const facts = await surveyServer(maintained, database);
    checks.push(...restoreChecks(facts, context, last));
    checks.push(
      ...facts.leftovers.map(({ name }) =>
        warning(
          'leftovers',
          `database "${name}" is of a restore that is at work, or was killed`,
          `the next restore removes it; by hand, if none is at work: DROP DATABASE ${quoteIdentifier(name)}`,
        ),
      ),
    );
    return { checks, facts };
  } catch (error) {
    context.signal.throwIfAborted();
    const connection = failedBy('connection', await orLost(error, context));
    return { checks: [...checks, connection, notChecked], facts: undefined };
  }
}

/** A command of POSTGRES_EXEC that leads nowhere is told once. */
function once(checks: readonly Check[]): readonly Check[] {
  const [first, ...others] = checks;
  const isSame = first !== undefined && others.every(({ message }) => message === first.message);
  return isSame ? [{ ...first, name: checks.map(({ name }) => name).join(', ') }] : checks;
}

const notChecked = warning(
  'server',
  'privileges, extensions, roles and clock were not checked: there is no connection',
  'correct the connection, and run this again',
);
