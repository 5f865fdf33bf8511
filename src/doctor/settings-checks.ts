import { stat } from 'node:fs/promises';
import { shellWord } from '../base/format.ts';
import type { Context } from '../context.ts';
import { failed, isLocal, ok, warning, type Check } from './check.ts';

/** What every first try leaves as it is. */
const defaultPassword = 'devpass';

/** What is set, and what of it looks wrong. */
export async function settingsChecks({ config }: Context): Promise<Check[]> {
  const { settingsFile, connection, ignored } = config;
  const { host } = connection;
  const checks = [
    ...ignored.map((what) => warning('settings', what, 'correct it, or remove it')),
    ...cutValues(settingsFile.text ?? '').map((name) =>
      failed(
        'settings',
        `the value of ${name} in ${settingsFile.label} is cut at its #`,
        `put it in single quotes: ${name}='…'`,
      ),
    ),
    ...strayLines(settingsFile.text ?? '').map((line) =>
      warning(
        'settings',
        `line ${line} of ${settingsFile.label} sets nothing`,
        'write NAME=value; a comment begins with #',
      ),
    ),
    ...(await permissionChecks(settingsFile.path, settingsFile.label)),
    ...(connection.password === defaultPassword && !isLocal(host)
      ? [
          failed(
            'password',
            `it is the default one, and ${host ?? ''} is not this machine`,
            'give the user another one (ALTER ROLE … PASSWORD), and set POSTGRES_PASSWORD',
          ),
        ]
      : []),
    ...encryptionChecks(host, config.libpq.PGSSLMODE),
  ];
  const where = settingsFile.text === undefined ? `no ${settingsFile.label}` : settingsFile.path;
  const said = `${where}; database from ${config.databaseSource}`;
  return checks.some(({ name }) => name === 'settings')
    ? checks
    : [ok('settings', said), ...checks];
}

/** The names of values that go on behind a `#` to which no space leads: dotenv takes that for a comment. */
export function cutValues(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, value = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    return name !== undefined && /^[^'"`\s#][^'"`#]*(?<!\s)#/.test(value) ? [name] : [];
  });
}

/**
 * The numbers of lines, from 1, that are no setting and no comment; what stands there may be a secret. A value
 * in quotes can have several lines.
 */
export function strayLines(text: string): number[] {
  const outside = text.replaceAll(
    /=\s*(?:'[^']*'|"[^"]*"|`[^`]*`)/g,
    (value) => `=${value.replaceAll(/[^\n]/g, '').replaceAll('\n', '\n#')}`,
  );
  return outside
    .split(/\r?\n/)
    .flatMap((line, index) =>
      /^\s*(?:#|$|(?:export\s+)?[\w.-]+\s*[=:])/.test(line) ? [] : [index + 1],
    );
}

async function permissionChecks(path: string, label: string): Promise<Check[]> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile() || (stats.mode & 0o077) === 0) return [];
  return [
    warning(
      'settings',
      `${label} can be read by others, and it may hold a password`,
      `chmod 600 ${shellWord(path)}`,
    ),
  ];
}

/** What libpq does by itself: it takes an unencrypted connection where the server offers no other. */
function encryptionChecks(host: string | undefined, mode: string | undefined): Check[] {
  if (host === undefined || isLocal(host)) return [];
  const told = mode === undefined || mode === '' ? 'PGSSLMODE is not set' : `PGSSLMODE is ${mode}`;
  if (mode === 'verify-full' || mode === 'verify-ca') return [ok('encryption', told)];
  return [
    warning(
      'encryption',
      mode === 'require'
        ? `${told}: nobody checks that ${host} is the right server`
        : `${told}: what goes to and from ${host} may be read on the way`,
      'set PGSSLMODE=verify-full and PGSSLROOTCERT, in .env or the environment',
    ),
  ];
}
