import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryDirectory } from './support/cli.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

test('npx in the checkout finds the tool', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { stdout } = await execa('npx', ['--no-install', 'pratiko-backup', '--version'], {
    cwd: root,
  });
  expect(stdout).toBe(version);
});

test('npm link makes the command, and it keeps to the checkout wherever it is called', async () => {
  const prefix = await temporaryDirectory();
  await mkdir(join(prefix, 'lib'));
  await execa('npm', ['link', '--ignore-scripts'], {
    cwd: root,
    env: { npm_config_prefix: prefix },
  });
  const elsewhere = await temporaryDirectory();
  const { stdout } = await execa(
    join(prefix, 'bin', 'pratiko-backup'),
    ['list', '--json', '--env-file', '/dev/null'],
    {
      cwd: elsewhere,
      env: { PATH: process.env.PATH },
      extendEnv: false,
    },
  );
  expect(JSON.parse(stdout)).toMatchObject({ directory: join(root, 'backups') });
});

test('bin/setup has nothing to do and says nothing', async () => {
  const { stdout, stderr } = await execa(join(root, 'bin', 'setup'));
  expect(stdout + stderr).toBe('');
});
