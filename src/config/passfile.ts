import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/**
 * The password that libpq would use where none is set for us: PGPASSWORD, or the line of the password
 * file for this login (PostgreSQL manual, The Password File). We connect to other databases with the
 * same login, too, so that its database need not be theirs.
 * @returns undefined where there is none.
 */
export function passwordFor(
  login: Login,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (environment.PGPASSWORD) return environment.PGPASSWORD;
  const file = environment.PGPASSFILE ?? join(environment.HOME ?? '/', '.pgpass');
  const host = login.host.startsWith('/') ? [login.host, 'localhost'] : [login.host];
  for (const line of linesOf(file)) {
    if (line.startsWith('#')) continue;
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = '']) => field);
    const [hostname = '', port, database, user] = fields.map((field) =>
      field.replaceAll(/\\(.)/g, '$1'),
    );
    const is = (given: string | undefined, wanted: readonly string[]) =>
      given === '*' || wanted.includes(given ?? '');
    if (!is(hostname, host) || !is(port, [String(login.port)])) continue;
    if (!is(database, [login.database]) || !is(user, [login.user])) continue;
    return fields[4]?.replaceAll(/\\(.)/g, '$1');
  }
  return undefined;
}

/** Like libpq, it looks into no file that others can read. */
function linesOf(file: string): string[] {
  try {
    const { mode } = statSync(file);
    return (mode & 0o077) === 0 ? readFileSync(file, 'utf8').split(/\r?\n/) : [];
  } catch {
    return []; // there is none, or it is not ours to read
  }
}
