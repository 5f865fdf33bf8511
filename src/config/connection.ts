import { passwordFor } from './passfile.ts';
import type { SettingName, Settings } from './settings.ts';
import type { Given, Sources } from './sources.ts';

/** How to reach the database. All of it goes to libpq through the environment, never through argv. */
export interface Connection {
  /** A name, an address, or the directory of a socket; undefined: as it is behind `through`. */
  readonly host: string | undefined;
  /** Undefined: as it is there. */
  readonly port: number | undefined;
  readonly user: string;
  /** Empty: libpq finds one, or needs none. */
  readonly password: string;
  readonly database: string;
  /** The words of POSTGRES_EXEC: the command through which psql and pg_dump run where the server is. */
  readonly through?: readonly [string, ...string[]] | undefined;
}

/** One that leads to a port. */
export interface TcpConnection extends Connection {
  readonly host: string;
  readonly port: number;
}

/** Host, port and password that are not set are, behind POSTGRES_EXEC, as they are there; else they have their defaults. */
export function connectionOf(
  { user, database, ...values }: Settings,
  given: Readonly<Partial<Record<SettingName, Given>>>,
  environment: Sources['environment'],
): Connection {
  const through = values.postgresExec;
  const login = { host: values.host, port: values.port, user, database };
  if (through === undefined) {
    const found = given.password === undefined ? passwordFor(login, environment) : undefined;
    return { ...login, password: found ?? values.password };
  }
  return {
    host: given.host && values.host,
    port: given.port && values.port,
    user,
    password: given.password === undefined ? (environment.PGPASSWORD ?? '') : values.password,
    database,
    through,
  };
}
