import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryDirectory, toolEnvironment } from './support/cli.ts';
import { temporaryDatabase } from './support/server.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = (args: string[], cwd: string) => execa('npm', args, { cwd });

test('npx in the checkout finds the tool', async () => {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { stdout } = await execa('npx', ['--no-install', 'pratiko-backup', '--version'], {
    cwd: root,
  });
  expect(stdout).toBe(version);
});

test('the packed tool works elsewhere, with backups in the directory where it is called', async () => {
  const packed = await temporaryDirectory();
  await npm(['pack', '--ignore-scripts', '--pack-destination', packed], root);
  const project = await temporaryDirectory();
  await writeFile(join(project, 'package.json'), '{"private": true}');
  const tarball = (await execa('ls', [packed])).stdout.trim();
  await npm(
    ['install', '--omit=dev', '--prefer-offline', '--no-audit', join(packed, tarball)],
    project,
  );

  const { BACKUP_DIR: _, ...env } = toolEnvironment(
    await temporaryDatabase('CREATE TABLE t AS SELECT 1 AS a;'),
    '',
  );
  await writeFile(join(project, '.env'), `POSTGRES_DB='${env.POSTGRES_DB ?? ''}'\n`);
  const { POSTGRES_DB: __, ...rest } = env;
  const tool = join(project, 'node_modules', '.bin', 'pratiko-backup');
  const options = { cwd: project, env: rest, extendEnv: false };
  const { stderr } = await execa(tool, ['backup'], options);
  expect(stderr).toContain('(POSTGRES_DB in .env)');
  const { stdout } = await execa(tool, ['list'], options);
  expect(stdout).toContain(`in ${join(project, 'backups')}`);
  expect(stdout).toContain('verified');
  expect((await stat(join(project, 'backups'))).mode & 0o777).toBe(0o700);
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
