import { z } from 'zod';
import { databaseTraitsSchema, type DatabaseTraits } from '../database-traits.ts';
import type { KnownRoles } from '../known-roles.ts';
import { execute, query, quoteIdentifier, quoteLiteral, type Server } from './psql.ts';

/** Where to connect for work on databases as a whole: never to one that is to be renamed. */
export const maintenanceDatabase = 'postgres';

/** PostgreSQL cuts longer names (NAMEDATALEN). */
const maxNameBytes = 63;

/** `15.18 (Debian 15.18-0+deb12u1)`; also the cheapest proof that a connection works. */
export async function serverVersion(server: Server, database: string): Promise<string> {
  return (await execute(server, database, 'SHOW server_version;')).trim();
}

/** The traits of a database, asked from any other; undefined where it does not exist. */
export async function describeDatabase(
  server: Server,
  from: string,
  name: string,
): Promise<DatabaseTraits | undefined> {
  // Column names changed in 15 and 17: to_jsonb asks for what there is.
  const rows = await query(
    server,
    from,
    databaseTraitsSchema,
    `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
            datcollate AS collate, datctype AS ctype,
            CASE d->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END
              AS provider,
            coalesce(d->>'datlocale', d->>'daticulocale') AS locale
       FROM pg_database, LATERAL (SELECT to_jsonb(pg_database)) AS j(d)
      WHERE datname = ${quoteLiteral(name)}`,
  );
  return rows[0];
}

/** What a new database is to be like; without an owner it belongs to who creates it. */
export type NewDatabaseTraits = Omit<DatabaseTraits, 'owner'> & {
  readonly owner: string | undefined;
};

/**
 * Whether a database has settings, privileges, a comment or a limit of its own, which no dump of a
 * single database holds.
 */
export async function hasOwnSettings(server: Server, name: string): Promise<boolean> {
  const answer = await execute(
    server,
    maintenanceDatabase,
    `SELECT datacl IS NOT NULL OR datconnlimit <> -1 OR shobj_description(oid, 'pg_database') IS NOT NULL
            OR EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = oid)
       FROM pg_database WHERE datname = ${quoteLiteral(name)};`,
  );
  return answer.trim() === 't';
}

/** Creates an empty database from template0, so that nothing but the dump's objects is in it. */
export async function createDatabase(
  server: Server,
  name: string,
  traits: NewDatabaseTraits | undefined,
): Promise<void> {
  const options = traits === undefined ? '' : createOptions(traits);
  await execute(
    server,
    maintenanceDatabase,
    `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0${options};`,
  );
}

function createOptions(traits: NewDatabaseTraits): string {
  const options = [
    ...(traits.owner === undefined ? [] : [`OWNER ${quoteIdentifier(traits.owner)}`]),
    `ENCODING ${quoteLiteral(traits.encoding)}`,
    `LC_COLLATE ${quoteLiteral(traits.collate)}`,
    `LC_CTYPE ${quoteLiteral(traits.ctype)}`,
  ];
  if (traits.provider !== 'libc') {
    const locale = traits.provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE';
    options.push(`LOCALE_PROVIDER ${traits.provider}`);
    options.push(`${locale} ${quoteLiteral(traits.locale ?? '')}`);
  }
  return ` ${options.join(' ')}`;
}

/** Drops a database and ends its sessions; one that does not exist is fine. */
export async function dropDatabase(server: Server, name: string): Promise<void> {
  await execute(
    server,
    maintenanceDatabase,
    `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE);`,
  );
}

/** `aifinance`, `_before_20251129_020000` → one name within PostgreSQL's 63 bytes. */
export function derivedName(database: string, suffix: string): string {
  let base = database;
  while (Buffer.byteLength(base + suffix) > maxNameBytes)
    base = Array.from(base).slice(0, -1).join('');
  return base + suffix;
}

const roleSchema = z.object({ name: z.string(), assignable: z.boolean() });

/** Which roles exist on the server, and to which of them we may give objects. */
export async function listRoles(server: Server, serverMajor: number): Promise<KnownRoles> {
  const roles = await query(
    server,
    maintenanceDatabase,
    roleSchema,
    `SELECT rolname AS name, pg_has_role(current_user, oid, ${serverMajor >= 16 ? "'SET'" : "'MEMBER'"}) AS assignable FROM pg_roles`,
  );
  return {
    existing: new Set(roles.map(({ name }) => name)),
    assignable: new Set(roles.filter(({ assignable }) => assignable).map(({ name }) => name)),
  };
}
