import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import type { Sources } from '../../src/config/sources.ts';
import { Failure } from '../../src/base/errors.ts';
import { temporaryDirectory } from '../support/cli.ts';

/** Loads settings from these sources in a project of their own. */
async function load(sources: Partial<Sources> & { readonly file?: string } = {}) {
  const projectRoot = await temporaryDirectory();
  if (sources.file !== undefined) await writeFile(join(projectRoot, '.env'), sources.file);
  return loadConfig({ flags: {}, environment: {}, cwd: '/somewhere', projectRoot, ...sources });
}

const failure = async (sources: Parameters<typeof load>[0]): Promise<Failure> => {
  const error: unknown = await load(sources).catch((reason: unknown) => reason);
  if (!(error instanceof Failure)) throw new Error('expected a Failure');
  return error;
};

test('the defaults are those of the old scripts', async () => {
  expect(await load()).toMatchObject({
    connection: {
      host: 'localhost',
      port: 5433,
      database: 'aifinance',
      user: 'aifinance',
      password: 'devpass',
    },
    databaseSource: 'the default',
    retention: { days: 7, keepMin: 3 },
    lockWaitTimeoutSeconds: 300,
    backupTimeoutSeconds: undefined,
    slack: undefined,
    logLevel: 'info',
  });
});

test.each([
  [
    'a flag wins over all',
    { flags: { database: 'f' }, environment: { DB_NAME: 'e' }, file: 'DB_NAME=d' },
    'f',
  ],
  ['the environment wins over .env', { environment: { POSTGRES_DB: 'e' }, file: 'DB_NAME=d' }, 'e'],
  ['.env wins over the default', { file: 'POSTGRES_DB=d' }, 'd'],
  [
    'DB_* wins over POSTGRES_* in the environment',
    { environment: { POSTGRES_DB: 'a', DB_NAME: 'b' } },
    'b',
  ],
  ['DB_* wins over POSTGRES_* in .env', { file: 'DB_NAME=b\nPOSTGRES_DB=a' }, 'b'],
  ['an empty value counts as unset', { environment: { DB_NAME: '', POSTGRES_DB: 'e' } }, 'e'],
])('%s', async (_, sources, expected) => {
  const config = await load(sources);
  expect(config.connection.database).toBe(expected);
});

test('an empty flag is an error: an unset shell variable must not lead to the default', async () => {
  const error = await failure({ flags: { database: '' }, environment: { DB_NAME: 'live' } });
  expect(error.message).toBe(
    '--dbname or --to on the command line is "", it must be a name of 1 to 63 bytes',
  );
});

test('where the name of the database came from is told', async () => {
  expect(await load({ environment: { DB_NAME: 'x' } })).toMatchObject({
    databaseSource: 'DB_NAME in the environment',
  });
  expect(await load({ file: 'POSTGRES_DB=x' })).toMatchObject({
    databaseSource: 'POSTGRES_DB in .env',
  });
});

test('relative directories: of settings from the project, of flags from where the person is', async () => {
  const projectRoot = await temporaryDirectory();
  const directory = async (sources: Partial<Sources>) =>
    (await load({ projectRoot, ...sources })).backupDir;
  expect(await directory({})).toBe(join(projectRoot, 'backups'));
  expect(await directory({ environment: { BACKUP_DIR: 'x' } })).toBe(join(projectRoot, 'x'));
  expect(await directory({ environment: { BACKUP_DIR: '/mnt/x' } })).toBe('/mnt/x');
  expect(await directory({ flags: { backupDir: 'x' } })).toBe('/somewhere/x');
});

describe('passwords', () => {
  const odd = `q'u"o te$HOME%d#@:/\\é`;

  test('any characters come through the environment', async () => {
    expect((await load({ environment: { POSTGRES_PASSWORD: odd } })).connection.password).toBe(odd);
  });

  test('single quotes protect them in .env', async () => {
    const config = await load({ file: "POSTGRES_PASSWORD='pa#ss \"$x\\n'\n" });
    expect(config.connection.password).toBe('pa#ss "$x\\n');
  });

  test('a file gives it without its last line break', async () => {
    const projectRoot = await temporaryDirectory();
    await writeFile(join(projectRoot, 'secret'), `${odd}\n`);
    const config = await load({ projectRoot, environment: { POSTGRES_PASSWORD_FILE: 'secret' } });
    expect(config.connection.password).toBe(odd);
  });

  test('a file that is not there is a clear error', async () => {
    const error = await failure({ environment: { POSTGRES_PASSWORD_FILE: '/no/secret' } });
    expect(error.message).toContain('POSTGRES_PASSWORD_FILE in the environment');
    expect(error.exitCode).toBe(2);
  });
});

test('every wrong value is told at once, with what is accepted, and no secret is shown', async () => {
  const error = await failure({
    environment: {
      POSTGRES_PORT: '70000',
      RETENTION_DAYS: 'seven',
      RETENTION_KEEP_MIN: '0',
      SLACK_WEBHOOK_URL: 'hooks.slack.com/SECRET',
      SLACK_NOTIFY: 'sometimes',
      DB_NAME: 'x'.repeat(64),
      BACKUP_DIR: '~/backups',
    },
    file: 'LOG_LEVEL=loud',
  });
  expect(error.message.split('; ')).toEqual([
    'POSTGRES_PORT in the environment is "70000", it must be a whole number from 1 to 65535',
    `DB_NAME in the environment is "${'x'.repeat(64)}", it must be a name of 1 to 63 bytes`,
    'BACKUP_DIR in the environment is "~/backups", it must be a path with the home directory written out: ~ is not expanded',
    'RETENTION_DAYS in the environment is "seven", it must be a whole number from 1 to 36500',
    'RETENTION_KEEP_MIN in the environment is "0", it must be a whole number from 1 to 36500',
    'SLACK_WEBHOOK_URL in the environment is not valid, it must be an http or https URL',
    'SLACK_NOTIFY in the environment is "sometimes", it must be one of always, failure',
    'LOG_LEVEL in .env is "loud", it must be one of debug, info, warn, error',
  ]);
  expect(error.exitCode).toBe(2);
});

test('a settings file that was asked for must be readable', async () => {
  expect((await failure({ envFile: '/no/such.env' })).message).toContain('/no/such.env');
  const projectRoot = await temporaryDirectory();
  await mkdir(join(projectRoot, '.env'));
  expect((await failure({ projectRoot })).message).toContain(join(projectRoot, '.env'));
});
