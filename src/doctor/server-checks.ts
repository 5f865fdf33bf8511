import { z } from 'zod';
import { formatDuration, formatNames } from '../base/format.ts';
import { quoteIdentifier } from '../base/sql.ts';
import { serverLabel } from '../config/place.ts';
import type { Backup } from '../backup-directory/backup.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { configuredServer, type Context } from '../context.ts';
import { ConnectionFailure } from '../postgres/connection-failure.ts';
import { contact, contactMaintenance } from '../postgres/contact.ts';
import { query, type Server } from '../postgres/psql.ts';
import { surveyServer, type ServerFacts } from '../restore/server-facts.ts';
import { toolCheck, versionCheck } from './tool-checks.ts';
import { failed, failedBy, ok, warning, type Check } from './check.ts';

/** So long a server may let us wait. */
const connectSeconds = '5';

/** The programs of PostgreSQL, the connection, and what the user may do there. */
export async function serverChecks(
  context: Context,
  lastBackup: Backup | undefined,
): Promise<{ readonly checks: Check[]; readonly facts: ServerFacts | undefined }> {
  const checks: Check[] = [];
  const last = lastBackup?.manifest;
  const pgDump = await toolCheck('pg_dump', context, checks);
  const psql = await toolCheck('psql', context, checks);
  if (psql === undefined) return { checks: [...checks, notChecked], facts: undefined };
  const { database, user } = context.config.connection;
  try {
    const configured = await configuredServer(context);
    const server = {
      ...configured,
      environment: { ...configured.environment, PGCONNECT_TIMEOUT: connectSeconds },
    };
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
    return { checks, facts };
  } catch (error) {
    context.signal.throwIfAborted();
    const connection = withBackup(failedBy('connection', error), error, lastBackup);
    return { checks: [...checks, connection, notChecked], facts: undefined };
  }
}

/** A database that is gone, and of which there is a backup, is no typing mistake. */
function withBackup(check: Check, error: unknown, last: Backup | undefined): Check {
  const isGone = error instanceof ConnectionFailure && error.code === '3D000';
  if (!isGone || last === undefined) return check;
  return {
    ...check,
    hint: `if it was lost, \`pratiko-backup restore\` brings it back (${last.name} is there); else ${check.hint ?? ''}`,
  };
}

const notChecked = warning(
  'server',
  'privileges, extensions, roles and clock were not checked: there is no connection',
  'mend the connection, and run this again',
);

const insideSchema = z.object({
  unreadable: z.array(z.string()),
  hidden: z.array(z.string()),
  now: z.number(),
});

/** What pg_dump reads, as far as the user may not; and the server's clock, in milliseconds since 1970. */
const selectInside = `
  WITH relations AS (
    SELECT c.oid, relkind, quote_ident(nspname) || '.' || quote_ident(relname) AS name
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'S') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'))
  SELECT (SELECT coalesce(json_agg(name), '[]') FROM relations WHERE NOT has_table_privilege(oid, 'SELECT')) AS unreadable,
         (SELECT coalesce(json_agg(name), '[]') FROM relations WHERE relkind <> 'S' AND row_security_active(oid)) AS hidden,
         extract(epoch FROM clock_timestamp()) * 1000 AS now`;

/** A clock that is wrong by so much gives backups wrong names. */
const clockMs = 60_000;

async function insideChecks(server: Server, { config, now }: Context): Promise<Check[]> {
  const { database, user } = config.connection;
  const [inside] = await query(server, database, insideSchema, selectInside);
  if (inside === undefined) return [];
  const { unreadable, hidden } = inside;
  const off = Math.abs(inside.now - now().getTime());
  return [
    ...(unreadable.length === 0 && hidden.length === 0
      ? [ok('backup', `"${user}" may read everything in "${database}"`)]
      : []),
    ...(unreadable.length === 0
      ? []
      : [
          failed(
            'backup',
            `"${user}" may not read ${few(unreadable)}: a backup fails`,
            `make it the owner, or GRANT pg_read_all_data TO ${quoteIdentifier(user)}`,
          ),
        ]),
    ...(hidden.length === 0
      ? []
      : [
          failed(
            'backup',
            `row-level security hides rows of ${few(hidden)} from "${user}": a backup fails`,
            "dump as the tables' owner, or as a role with BYPASSRLS",
          ),
        ]),
    off < clockMs
      ? ok('clock', "it agrees with the server's")
      : warning(
          'clock',
          `it differs from the server's by ${formatDuration(off)}`,
          'set it right on both machines (NTP): backups are named and kept by it',
        ),
  ];
}

function restoreChecks(
  facts: ServerFacts,
  { config }: Context,
  last: Manifest | undefined,
): Check[] {
  const { database, user } = config.connection;
  const isOffered = (name: string) =>
    facts.extensions.some((extension) => extension.name === name && extension.creatable);
  const extensions = (last?.extensions ?? []).filter((name) => !isOffered(name));
  const roles = (last?.roles ?? []).filter((role) => !facts.roles.existing.has(role));
  return [
    facts.isStandby
      ? warning(
          'restore',
          'the server is a standby: backups of it work, restores and drills do not',
          'restore on the primary; `verify --restore --sandbox` proves backups without a server',
        )
      : facts.createsDatabases
        ? ok('restore', `"${user}" may create databases, for restores and drills`)
        : failed(
            'restore',
            `"${user}" may not create databases: no restore, no drill`,
            `as a superuser: ALTER ROLE ${quoteIdentifier(user)} CREATEDB`,
          ),
    ...(facts.target?.owned === false
      ? [
          failed(
            'restore',
            `"${user}" does not own "${database}" and cannot replace it`,
            `as a superuser: ALTER DATABASE ${quoteIdentifier(database)} OWNER TO ${quoteIdentifier(user)}`,
          ),
        ]
      : []),
    ...(last === undefined
      ? []
      : [
          extensions.length === 0
            ? ok('extensions', 'the server has those of the last backup')
            : failed(
                'extensions',
                `the last backup needs what the server does not offer to "${user}": ${few(extensions)}`,
                'install them on the server (pgvector: package postgresql-NN-pgvector), or connect as a superuser',
              ),
          roles.length === 0
            ? ok('roles', 'the server has those of the last backup')
            : warning(
                'roles',
                `the last backup needs roles that the server does not have: ${few(roles)}`,
                'create them before a restore; BACKUP_GLOBALS=true stores them, and `restore --globals` creates them',
              ),
        ]),
  ];
}

const few = (names: readonly string[]) => formatNames(names, 3);
