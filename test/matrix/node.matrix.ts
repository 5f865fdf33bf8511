import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { execute } from '../../src/postgres/psql.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { startS3 } from '../support/s3.ts';
import { startWebhook } from '../support/slack.ts';
import { nodeOf, nodes, startServer } from './versions.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('the package holds only what runs', async () => {
  const { stdout } = await execa('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
  });
  const [{ files } = { files: [] }] = JSON.parse(stdout) as { files: { path: string }[] }[];
  const others = files
    .map(({ path }) => path)
    .filter((path) => !/^dist\/[\w-]+\.js$/.test(path))
    .sort();
  expect(others).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin/package.json',
    'bin/pratiko-backup.js',
    'dist/licenses.txt',
    'dist/pratiko-backup.1',
    'package.json',
  ]);
});

test.for(nodes)('installed and at work with Node %s', async (version) => {
  const node = nodeOf(version);
  const npm = await execa('npm', ['root', '--global']);
  const npmCli = join(npm.stdout.trim(), 'npm', 'bin', 'npm-cli.js');
  const packed = await temporaryDirectory();
  await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], { cwd: root });
  const [tarball = ''] = await readdir(packed);
  const project = await temporaryDirectory();
  await writeFile(join(project, 'package.json'), '{"private": true}');
  const path = `${dirname(node)}:${process.env.PATH ?? ''}`;
  // Every package must say that it supports this version.
  const flags = ['--omit=dev', '--engine-strict', '--no-audit', '--no-fund', '--prefer-offline'];
  await execa(node, [npmCli, 'install', ...flags, join(packed, tarball)], {
    cwd: project,
    env: { PATH: path },
  });

  await using own = await startServer(15);
  await execute(own.server, 'postgres', 'CREATE DATABASE aifinance;');
  await execute(own.server, 'aifinance', 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;');
  const s3 = await startS3();
  const [slack, webhook] = [await startWebhook(), await startWebhook()];
  const { connection } = own.server;
  const run = (...args: string[]) =>
    execa(node, [join(project, 'node_modules/.bin/pratiko-backup'), ...args], {
      cwd: project,
      env: {
        PATH: process.env.PATH ?? '',
        POSTGRES_HOST: connection.host,
        POSTGRES_PORT: String(connection.port),
        POSTGRES_USER: connection.user,
        POSTGRES_PASSWORD: connection.password,
        SLACK_WEBHOOK_URL: slack.url,
        WEBHOOK_URL: webhook.url,
        ...s3.env,
      },
      extendEnv: false,
      reject: false,
    });

  expect((await run('--version')).stdout).toBe(await versionOfPackage());
  // pg, undici, @slack/webhook and @aws-sdk/client-s3 are each used once.
  for (const args of [
    ['keygen'],
    ['backup'],
    ['verify', '--restore'],
    ['restore', '--yes'],
    ['restore', '--undo', '--yes'],
    ['verify', '--from-offsite'],
    ['list', '--offsite'],
    ['doctor'],
    ['status'],
  ]) {
    const ending = await run(...args);
    expect(ending).toExitWith(0);
    expect(ending.stderr).not.toMatch(/Warning|deprecat/i);
  }
  expect(slack.messages).toHaveLength(2);
  expect(webhook.messages).toHaveLength(2);
  expect((await s3.names()).filter((name) => name.endsWith('.sql.gz'))).toHaveLength(1);
});

async function versionOfPackage(): Promise<string> {
  const text = await readFile(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
