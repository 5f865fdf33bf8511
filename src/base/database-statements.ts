import { quoteIdentifier, quoteLiteral } from './sql.ts';
import type { DatabaseSettings } from './database-traits.ts';

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
 * What could keep a dump from being loaded, or sessions from being opened, or have the dump read in another way than it
 * was written: it waits until the load is done. Everything else decides how values are read and computed, as when they were dumped.
 */
const stopping =
  /_timeout$|^default_transaction_|^(?:role|session_authorization|session_preload_libraries|local_preload_libraries|session_replication_role|temp_file_limit|row_security|array_nulls|transform_null_equals|quote_all_identifiers)$/;

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
