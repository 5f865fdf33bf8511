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
