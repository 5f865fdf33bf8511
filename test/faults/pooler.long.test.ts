import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { isAvailable } from '../support/available.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { sql } from '../support/server.ts';
import { closedPort } from '../support/slack.ts';

const hasPgbouncer = isAvailable(
  'pgbouncer',
  ['--version'],
  'pgbouncer is missing: connection poolers are NOT tested here',
);

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}

/** A pgbouncer before the server of all tests; gives its port. */
async function pooler(settings: Readonly<Record<string, string>>): Promise<number> {
  const directory = await temporaryDirectory();
  const { host, port } = inject('connection');
  const [role, listen] = [
    `pooler_${randomBytes(4).toString('hex')}`,
    Number((await closedPort()).split(':')[1]),
  ];
  await sql('postgres', `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'p';`);
  const lines = Object.entries({
    listen_addr: '127.0.0.1',
    listen_port: String(listen),
    auth_type: 'any',
    unix_socket_dir: '',
    ...settings,
  }).map(([name, value]) => `${name} = ${value}`);
  const ini = join(directory, 'pgbouncer.ini');
  const upstream = `* = host=${host} port=${port} user=${role} password=p`;
  await writeFile(ini, ['[databases]', upstream, '[pgbouncer]', ...lines, ''].join('\n'));
  await chmod(directory, 0o755);
  // It refuses to run as root.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const running = execa('pgbouncer', [ini], { reject: false, stdio: 'ignore', ...nobody });
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running;
    await sql('postgres', `DROP ROLE IF EXISTS ${role};`).catch(() => undefined);
  });
  while (!(await answers(listen))) await sleep(50);
  return listen;
}

describe.skipIf(!hasPgbouncer)('a connection pooler', () => {
  const ignoring = { ignore_startup_parameters: 'extra_float_digits,options' };
  test.each<[string, Record<string, string>]>([
    ['by transaction', { ...ignoring, pool_mode: 'transaction' }],
    ['with a single connection', { ...ignoring, pool_mode: 'transaction', default_pool_size: '1' }],
    ['by statement', { ...ignoring, pool_mode: 'statement' }],
    ['as it comes', { pool_mode: 'transaction' }],
  ])('is noticed, and nothing is dumped through it: %s', async (_, settings) => {
    const made = await backedUp();
    const env = { POSTGRES_PORT: String(await pooler(settings)) };
    for (const command of [['backup'], ['restore', '--yes']]) {
      const { exitCode, stderr } = await made.run(command, { env });
      expect(stderr).toMatch(
        /connection pooler.*; hint: .*set POSTGRES_PORT to the server's own port/,
      );
      expect(exitCode).toBe(13);
    }
  });

  test('is good for a backup where it keeps sessions', async () => {
    const made = await backedUp();
    const port = await pooler({ ...ignoring, pool_mode: 'session' });
    const { exitCode } = await made.run(['backup'], { env: { POSTGRES_PORT: String(port) } });
    expect(exitCode).toBe(0);
  });
});
