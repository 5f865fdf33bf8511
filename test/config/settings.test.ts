import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { fileVariablesOf, variableOf, type Setting } from '../../src/config/setting.ts';
import { allVariables, settings } from '../../src/config/settings.ts';
import { libpqEnvironment } from '../../src/postgres/connection.ts';
import { findTool } from '../../src/postgres/tools.ts';
import { installation, temporaryDirectory } from '../support/cli.ts';
import { server, temporaryDatabase } from '../support/server.ts';
import { filesIn } from '../support/invariants.ts';

const table: Record<string, Setting> = settings;

afterEach(() => {
  delete table.token;
});

test("the README's table has every setting, with its names, default and meaning", async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = readme
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` +\|/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const code = (word: string) => `\`${word}\``;
  expect(rows).toEqual(
    Object.values(table).map((setting) => [
      code(variableOf(setting)),
      [...setting.variables.slice(0, -1), ...fileVariablesOf(setting), ...(setting.flags ?? [])]
        .map(code)
        .join(', '),
      setting.default === undefined ? 'unset' : code(setting.default),
      setting.help,
    ]),
  );
});

test('a secret has no flag', () => {
  for (const { isSecret, flags } of Object.values(table)) {
    if (isSecret) expect(flags).toBeUndefined();
  }
});

test('a secret setting that is added is kept from children, and so is the file that it is in', () => {
  table.token = {
    variables: ['VAULT_TOKEN'],
    isSecret: true,
    schema: (zod) => zod.string(),
    help: 'a new one',
  };
  const environment = { VAULT_TOKEN: 'hidden', VAULT_TOKEN_FILE: '/hidden', OTHER: 'passes' };
  const connection = { host: 'h', port: 1, user: 'u', password: 'p', database: 'd' };
  const given = libpqEnvironment(environment, connection, 'd');
  expect(given.OTHER).toBe('passes');
  expect(JSON.stringify(given)).not.toContain('hidden');
});

test('no child of a backup is given a secret but the password, which reaches libpq alone', async () => {
  const { run, env, directory } = await installation(await temporaryDatabase());
  const tools = await temporaryDirectory();
  const seen = join(tools, 'environment');
  const search = {
    binDir: undefined,
    environment: { PATH: env.PATH ?? '' },
    signal: server.signal,
  };
  for (const name of ['psql', 'pg_dump']) {
    const { path } = await findTool(name, search);
    const script = `#!/bin/sh\nenv >> ${seen}\nexec ${path} "$@"\n`;
    await writeFile(join(tools, name), script, { mode: 0o755 });
  }
  const secrets = {
    POSTGRES_PASSWORD: inject('connection').password,
    SLACK_WEBHOOK_URL: 'http://127.0.0.1:9/canary',
    AWS_SECRET_ACCESS_KEY: 'canary',
  };
  expect(await run(['backup'], { env: { ...secrets, PG_BIN_DIR: tools } })).toExitWith(0);
  const lines = (await readFile(seen, 'utf8')).split('\n');
  expect(lines.filter((line) => line.startsWith('PGDATABASE=')).length).toBeGreaterThan(1);
  expect(lines.filter((line) => line.includes('canary'))).toEqual([]);
  const names = lines.map((line) => line.split('=')[0]);
  expect(names.filter((name) => allVariables().includes(name ?? ''))).toEqual([]);
  expect(await filesIn(directory)).toHaveLength(3); // the link, the manifest, the backup
});
