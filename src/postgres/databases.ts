import { quoteIdentifier, quoteLiteral } from '../base/sql.ts';
import { z } from 'zod';
import {
  databaseSettingsSchema,
  databaseTraitsSchema,
  type DatabaseTraits,
} from '../base/database-traits.ts';
import { settingsOfDatabase } from './database-settings.ts';
import { maintenanceOf, execute, query, type Server } from './psql.ts';
import { SqlError } from './sql-error.ts';
import { endSessions } from './sessions.ts';

/** PostgreSQL cuts longer names (NAMEDATALEN). */
const maxNameBytes = 63;

/** `15.18 (Debian 15.18-0+deb12u1)`; also the cheapest proof that a connection works. */
export async function serverVersion(server: Server, database: string): Promise<string> {
  return (await execute(server, database, 'SHOW server_version;')).trim();
}

export const descriptionSchema = databaseTraitsSchema.extend({ settings: databaseSettingsSchema });

/** Everything about a database that no dump of its contents tells. */
export type DatabaseDescription = z.infer<typeof descriptionSchema>;

/** As SQL. Column names changed in 15 and 17: to_jsonb asks for what there is. */
export const selectDescription = (name: string) => `
  SELECT pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
         d.datcollate AS collate, d.datctype AS ctype,
         CASE j->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
         coalesce(j->>'datlocale', j->>'daticulocale') AS locale, j->>'daticurules' AS rules,
         ${settingsOfDatabase} AS settings
    FROM pg_database AS d, to_jsonb(d) AS j
   WHERE d.datname = ${quoteLiteral(name)}`;

/** Describes a database, asked from any other; undefined where it does not exist. */
export async function describeDatabase(
  server: Server,
  from: string,
  name: string,
): Promise<DatabaseDescription | undefined> {
  return (await query(server, from, descriptionSchema, selectDescription(name)))[0];
}

/** What a new database is to be like; what is not said is as the server makes it. */
export interface NewDatabase {
  readonly owner?: string | undefined;
  readonly tablespace?: string | undefined;
  readonly locale?: Omit<DatabaseTraits, 'owner'> & {
    /** The server knows providers (15 and later): the default need not be libc. */
    readonly namesProvider: boolean;
  };
}

/** Creates an empty database from template0, so that nothing but the dump's objects is in it. */
export async function createDatabase(
  server: Server,
  name: string,
  like: NewDatabase = {},
): Promise<void> {
  const options = createOptions(like).map((option) => ` ${option}`);
  await execute(
    server,
    maintenanceOf(server),
    `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0${options.join('')};`,
  );
}

function createOptions({ owner, tablespace, locale }: NewDatabase): string[] {
  return [
    ...(owner === undefined ? [] : [`OWNER ${quoteIdentifier(owner)}`]),
    ...(tablespace === undefined ? [] : [`TABLESPACE ${quoteIdentifier(tablespace)}`]),
    ...(locale === undefined ? [] : localeOptions(locale)),
  ];
}

function localeOptions(traits: NonNullable<NewDatabase['locale']>): string[] {
  const options = [
    `ENCODING ${quoteLiteral(traits.encoding)}`,
    `LC_COLLATE ${quoteLiteral(traits.collate)}`,
    `LC_CTYPE ${quoteLiteral(traits.ctype)}`,
    ...(traits.namesProvider ? [`LOCALE_PROVIDER ${traits.provider}`] : []),
  ];
  if (traits.provider === 'libc') return options;
  const name = traits.provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE';
  const rules = traits.rules == null ? [] : [`ICU_RULES ${quoteLiteral(traits.rules)}`];
  return [...options, `${name} ${quoteLiteral(traits.locale ?? '')}`, ...rules];
}

/**
 * Drops a database and ends its sessions; one that does not exist is fine. While autovacuum is at
 * work there, FORCE is denied to who may not end that; without it, DROP DATABASE ends autovacuum
 * itself.
 */
export async function dropDatabase(server: Server, name: string): Promise<void> {
  const drop = `DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`;
  try {
    await execute(server, maintenanceOf(server), `${drop} WITH (FORCE);`);
  } catch (error) {
    if (!(error instanceof SqlError && error.code === insufficientPrivilege)) throw error;
    await execute(server, maintenanceOf(server), `${endSessions([name])} ${drop};`);
  }
}

const insufficientPrivilege = '42501';

/** `aifinance`, `_before_20251129_020000` → one name within PostgreSQL's 63 bytes. */
export function derivedName(database: string, suffix: string): string {
  let base = database;
  while (Buffer.byteLength(base + suffix) > maxNameBytes)
    base = Array.from(base).slice(0, -1).join('');
  return base + suffix;
}
