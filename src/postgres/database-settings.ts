import type { DatabaseSettings } from '../database-traits.ts';
import { maintenanceDatabase } from './connection.ts';
import { execute, quoteIdentifier, quoteLiteral, SqlError, type Server } from './psql.ts';

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

/**
 * The statements that give a new database its settings; the tablespace is given at its creation,
 * the comment when it gets its name.
 */
export function settingStatements(
  database: string,
  owner: string,
  settings: DatabaseSettings,
): string[] {
  const name = quoteIdentifier(database);
  const privileges =
    settings.privileges === null
      ? []
      : [
          `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${quoteIdentifier(owner)};`,
          ...settings.privileges.map(
            ({ grantee, privilege, grantable }) =>
              `GRANT ${privilege} ON DATABASE ${name} TO ${grantee === null ? 'PUBLIC' : quoteIdentifier(grantee)}${grantable ? ' WITH GRANT OPTION' : ''};`,
          ),
        ];
  const limit =
    settings.connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${name} CONNECTION LIMIT ${settings.connectionLimit};`];
  const parameters = settings.parameters.map((parameter) => {
    const whose =
      parameter.role === null
        ? `ALTER DATABASE ${name}`
        : `ALTER ROLE ${quoteIdentifier(parameter.role)} IN DATABASE ${name}`;
    return `${whose} SET ${quoteIdentifier(parameter.name)} TO ${parameterValue(parameter)};`;
  });
  return [...privileges, ...limit, ...parameters];
}

function parameterValue({ name, value }: { name: string; value: string }): string {
  if (!lists.has(name)) return quoteLiteral(value);
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, plain]) =>
    quoteLiteral(quoted?.replaceAll('""', '"') ?? plain ?? ''),
  );
  return names.length === 0 ? "''" : names.join(', ');
}

/**
 * Runs the statements; one that is refused does not keep the others away.
 * @returns those that the server refused, and why.
 */
export async function applySettings(
  server: Server,
  statements: readonly string[],
): Promise<{ statement: string; reason: string }[]> {
  if (statements.length === 0) return [];
  if (await isAccepted(server, statements.join('\n'))) return [];
  const refused: { statement: string; reason: string }[] = [];
  for (const statement of statements) {
    try {
      await execute(server, maintenanceDatabase, statement);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      refused.push({ statement, reason: error.message });
    }
  }
  return refused;
}

async function isAccepted(server: Server, sql: string): Promise<boolean> {
  try {
    await execute(server, maintenanceDatabase, sql);
    return true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}
