import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import type { DatabaseSettings } from '../base/database-traits.ts';
import { execute, type Server } from './psql.ts';
import { SqlError } from './sql-error.ts';

/** As SQL: the settings of the row `d` of pg_database, for `databaseSettingsSchema`. */
export const settingsOfDatabase = `json_build_object(
  'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = d.dattablespace),
  'connectionLimit', d.datconnlimit,
  'comment', shobj_description(d.oid, 'pg_database'),
  'privileges', CASE WHEN d.datacl IS NOT NULL THEN (
    SELECT coalesce(json_agg(json_build_object(
      'grantee', CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END,
      'privilege', privilege_type, 'grantable', is_grantable)), '[]')
      FROM aclexplode(d.datacl)) END,
  'parameters', (
    SELECT coalesce(json_agg(json_build_object(
      'role', CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole) END,
      'name', split_part(pair, '=', 1), 'value', substr(pair, strpos(pair, '=') + 1))), '[]')
      FROM pg_db_role_setting, unnest(setconfig) AS pair WHERE setdatabase = d.oid))`;

/** Parameters whose values are lists of names; one literal would make one name of them (guc.h). */
const lists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

type Parameter = DatabaseSettings['parameters'][number];

/**
 * What could keep a dump from being loaded, or sessions from being opened: it waits until the load is
 * done. Everything else decides how values are read and computed, as when they were dumped.
 */
const stopping =
  /_timeout$|^default_transaction_|^(?:role|session_authorization|session_preload_libraries|local_preload_libraries|session_replication_role|temp_file_limit|row_security)$/;

export const couldStopALoad = ({ name }: Parameter) => stopping.test(name);

/** The statements that give a new database what was set for it. */
export const parameterStatements = (database: string, parameters: readonly Parameter[]) =>
  parameters.map(
    (parameter) =>
      `${alter(database, parameter.role)} SET ${quoteIdentifier(parameter.name)} TO ${parameterValue(parameter)};`,
  );

/** The statements that take back all that `parameterStatements` have set. */
export const resetStatements = (database: string, parameters: readonly Parameter[]) =>
  [...new Set(parameters.map(({ role }) => role))].map(
    (role) => `${alter(database, role)} RESET ALL;`,
  );

const alter = (database: string, role: string | null) =>
  role === null
    ? `ALTER DATABASE ${quoteIdentifier(database)}`
    : `ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ${quoteIdentifier(database)}`;

export function privilegeStatements(
  database: string,
  owner: string,
  privileges: DatabaseSettings['privileges'],
): string[] {
  if (privileges === null) return [];
  const name = quoteIdentifier(database);
  return [
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${quoteIdentifier(owner)};`,
    ...privileges.map(
      ({ grantee, privilege, grantable }) =>
        `GRANT ${privilege} ON DATABASE ${name} TO ${grantee === null ? 'PUBLIC' : quoteIdentifier(grantee)}${grantable ? ' WITH GRANT OPTION' : ''};`,
    ),
  ];
}

export const limitStatements = (database: string, { connectionLimit }: DatabaseSettings) =>
  connectionLimit === -1
    ? []
    : [`ALTER DATABASE ${quoteIdentifier(database)} CONNECTION LIMIT ${connectionLimit};`];

function parameterValue({ name, value }: { name: string; value: string }): string {
  if (!lists.has(name)) return quoteLiteral(value);
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, plain]) =>
    quoteLiteral(quoted?.replaceAll('""', '"') ?? plain ?? ''),
  );
  return names.length === 0 ? "''" : names.join(', ');
}

/**
 * Runs the statements in the database that they are about, where what is in its encoding is text; one
 * that is refused does not keep the others away.
 * @returns those that the server refused, and why.
 */
export async function applySettings(
  server: Server,
  database: string,
  statements: readonly string[],
): Promise<{ statement: string; reason: string }[]> {
  if (statements.length === 0) return [];
  if (await isAccepted(server, database, statements.join('\n'))) return [];
  const refused: { statement: string; reason: string }[] = [];
  for (const statement of statements) {
    try {
      await execute(server, database, statement);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      refused.push({ statement, reason: error.message });
    }
  }
  return refused;
}

async function isAccepted(server: Server, database: string, sql: string): Promise<boolean> {
  try {
    await execute(server, database, sql);
    return true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}
