import { quoteIdentifier, unquoteIdentifier } from '../base/sql.ts';
import type { DatabaseSettings } from '../base/database-traits.ts';

const name = String.raw`("(?:[^"]|"")+"|[^\s;"]+)`;

const dropDatabase = new RegExp(String.raw`^DROP DATABASE (?:IF EXISTS )?${name};$`);
const createDatabase = new RegExp(String.raw`^CREATE DATABASE ${name}[\s;]`);
const setParameter = new RegExp(
  String.raw`^ALTER (?:DATABASE|ROLE ${name} IN DATABASE) ${name} SET ("[^"]+"|[\w.]+) (?:TO|=) (.+);$`,
  's',
);
const alterDatabase = new RegExp(
  String.raw`^(?:ALTER DATABASE|ALTER ROLE ${name} IN DATABASE) ${name} `,
);
/** What pg_dump writes before it connects to a name that is not plain. */
const encoding = /^\\encoding \S+$/;
/** Written also without `--create`, by versions before 11. */
const aboutDatabase = /^(?:COMMENT|SECURITY LABEL FOR \S+|(?:GRANT|REVOKE) [^'"]*?) ON DATABASE /;
const catalogFlags = /^UPDATE pg_catalog\.pg_database SET /;
const connect = /^\\connect (?:-reuse-previous=on )?(.+)$/;

/** What `--clean` writes before everything else, to remove what may be there. */
const removal =
  /^(?:DROP |ALTER .* (?:DROP|DETACH) |CREATE OR REPLACE VIEW .* AS\s+SELECT(?:\s+NULL::|\s*;)|SELECT (?:CASE WHEN EXISTS.*)?pg_catalog\.lo_unlink\()/s;
const setting = /^(?:SET |SELECT pg_catalog\.set_config\()/;
/** The one thing that a new database has of what a dump can contain. */
const dropPublic = /^DROP SCHEMA (?:IF EXISTS )?public;$/;

const createPublic = /^CREATE SCHEMA (?:IF NOT EXISTS )?"?public"?(?: AUTHORIZATION \S+)?;$/;
const createPlpgsql =
  /^CREATE (?:OR REPLACE )?(?:TRUSTED )?(?:PROCEDURAL )?LANGUAGE (?:'plpgsql'|"?plpgsql"?)[\s;]/;
const aboutPlpgsql =
  /^(?:COMMENT ON (?:EXTENSION|(?:PROCEDURAL )?LANGUAGE) plpgsql |ALTER (?:PROCEDURAL )?LANGUAGE plpgsql )/;
/** Before 15, a superuser owns it. */
const aboutPublic = /^(?:COMMENT ON SCHEMA public |ALTER SCHEMA public OWNER TO )/;

/**
 * Recognizes what pg_dump writes to prepare a database, with `--clean` and `--create`: a restore
 * does that itself, in a new database of another name.
 */
export class DatabasePreamble {
  #begun = false;
  /** As the dump writes it, from CREATE DATABASE. */
  #database: string | undefined;
  #leftOut = 0;
  readonly #parameters: DatabaseSettings['parameters'] = [];
  #hasPublic = true;
  /** About what a new database has, which who loads the dump may not touch. */
  readonly #forbidden: readonly RegExp[];

  /** @param superuser whether who loads the dump is one. */
  constructor(superuser: boolean, serverMajor: number) {
    this.#forbidden = superuser
      ? []
      : serverMajor < 15
        ? [aboutPlpgsql, aboutPublic]
        : [aboutPlpgsql];
  }

  /** How many statements about the database as a whole were taken. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** What the dump sets for the database that it creates. */
  get parameters(): DatabaseSettings['parameters'] {
    return this.#parameters;
  }

  /** True for a statement that is to be left out. */
  takes(statement: string): boolean {
    if (this.#concernsDatabase(statement)) {
      const parameter = parameterIn(statement);
      if (parameter === undefined) this.#leftOut += 1;
      else this.#parameters.push(parameter);
      return true;
    }
    if (setting.test(statement)) return false;
    if (dropPublic.test(statement)) {
      this.#hasPublic = false;
      return false;
    }
    if (!this.#begun && removal.test(statement)) return true;
    this.#begun = true;
    return this.#isThere(statement);
  }

  /** True for the command that enters the database that the dump has created, or enters it again. */
  connects(command: string): boolean {
    if (this.#database !== undefined && encoding.test(command)) return true;
    const target = connect.exec(command)?.[1];
    if (target === undefined || this.#database === undefined) return false;
    const plain = unquoteIdentifier(this.#database);
    return target === this.#database || target === plain || target === connectionString(plain);
  }

  /** What every new database has need not be created, and only a superuser may change it. */
  #isThere(statement: string): boolean {
    if (createPublic.test(statement)) {
      const isThere = this.#hasPublic;
      this.#hasPublic = true;
      return isThere;
    }
    return [createPlpgsql, ...this.#forbidden].some((pattern) => pattern.test(statement));
  }

  #concernsDatabase(statement: string): boolean {
    if (aboutDatabase.test(statement)) return true;
    if (!this.#begun && (dropDatabase.test(statement) || catalogFlags.test(statement))) return true;
    const created = createDatabase.exec(statement)?.[1];
    if (created !== undefined && this.#database === undefined) {
      this.#database = created;
      return true;
    }
    if (this.#database === undefined) return false;
    return alterDatabase.exec(statement)?.[2] === this.#database || catalogFlags.test(statement);
  }
}

/** `ALTER DATABASE … SET search_path TO 'a', 'b';` */
function parameterIn(statement: string): DatabaseSettings['parameters'][number] | undefined {
  const [, role, , name, values] = setParameter.exec(statement) ?? [];
  if (name === undefined || values === undefined) return undefined;
  const parts = [...values.matchAll(/(E?)'((?:[^'\\]|''|\\.)*)'|[^\s,']+/gs)].map(
    ([plain, escapes, quotedValue]) => {
      if (quotedValue === undefined) return plain;
      const text = quotedValue.replaceAll("''", "'");
      return escapes === '' ? text : text.replaceAll(/\\(.)/gs, '$1');
    },
  );
  return {
    role: role === undefined ? null : unquoteIdentifier(role),
    name: unquoteIdentifier(name),
    value: parts.length === 1 ? (parts[0] ?? '') : parts.map(quoteIdentifier).join(', '),
  };
}

/** As pg_dump writes names that are not plain (fe_utils/string_utils.c, appendPsqlMetaConnect). */
function connectionString(database: string): string {
  const value = `'${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return `"dbname=${value.replaceAll('"', '""')}"`;
}
