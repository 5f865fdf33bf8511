import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import { expect, onTestFinished } from 'vitest';
import { isAvailable } from './available.ts';
import { temporaryDirectory } from './cli.ts';
import { closedPort } from './slack.ts';

/** sshd refuses to start without its whole path. */
const program = '/usr/sbin/sshd';

export const hasSshd =
  process.getuid?.() === 0 &&
  isAvailable('test', ['-x', program], 'sshd is missing: ssh is NOT tested here');

export interface Sshd {
  readonly directory: string;
  /** For POSTGRES_EXEC; with further options. */
  readonly exec: (...options: readonly string[]) => string;
  /** The network between. */
  readonly network: Network;
}

interface Network {
  readonly port: number;
  /** Connections that are there break. */
  readonly cut: () => void;
  /** Nothing passes any more on those that are there, and nobody says so. */
  readonly freeze: () => void;
  /** No new connection is let through. */
  readonly close: () => void;
}

/** A real sshd on the loopback, with keys of its own, behind a network that can break. */
export async function sshd(settings: readonly string[] = []): Promise<Sshd> {
  const directory = await temporaryDirectory();
  const path = (name: string) => join(directory, name);
  for (const name of ['host_key', 'key']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
  }
  await copyFile(path('key.pub'), path('authorized_keys'));
  await mkdir('/run/sshd', { recursive: true });
  const port = Number((await closedPort()).split(':')[1]);
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path('host_key')}`,
    `AuthorizedKeysFile ${path('authorized_keys')}`,
    `PidFile ${path('pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    ...settings,
  ];
  await writeFile(path('sshd_config'), `${config.join('\n')}\n`);
  const server = spawn(program, ['-D', '-e', '-f', path('sshd_config')], { stdio: 'ignore' });
  onTestFinished(() => void server.kill('SIGKILL'));
  const network = await networkTo(port);
  await expect.poll(() => answers(port)).toBe(true);
  const options = [
    ...['-p', String(network.port), '-i', path('key')],
    ...['-o', `UserKnownHostsFile=${path('known_hosts')}`, '-F', '/dev/null'],
  ];
  return {
    directory,
    network,
    exec: (...more) =>
      [
        'ssh',
        ...options,
        ...(more.length === 0 ? known : more),
        `${userInfo().username}@127.0.0.1`,
      ].join(' '),
  };
}

const known = ['-o', 'StrictHostKeyChecking=accept-new'];

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'data');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function networkTo(target: number): Promise<Network> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isClosed = false;
  let isFrozen = false;
  const proxy = createServer((near) => {
    if (isClosed) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (isFrozen) return;
        pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    proxy.close();
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    cut() {
      for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    },
    freeze() {
      isFrozen = true;
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
    close() {
      isClosed = true;
    },
  };
}
