import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pingOf } from '../../src/notify/heartbeat.ts';
import { webhookMessage } from '../../src/notify/webhook-schema.ts';
import { backedUp } from '../support/backed-up.ts';
import { temporaryDirectory } from '../support/cli.ts';
import { launch } from '../support/launch.ts';
import { sql } from '../support/server.ts';
import { closedPort } from '../support/slack.ts';
import { waiting } from '../support/waiting.ts';

interface Request {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Somebody who listens on this machine; what he was told, in order. */
async function listener(answer: RequestListener = (_, response) => response.end('OK')) {
  const told: Request[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      told.push({ method, path, body: Buffer.concat(chunks).toString(), headers });
      answer(request, response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, told };
}

describe('the heartbeat', () => {
  test('tells the beginning and the end of a backup, as healthchecks.io has it', async () => {
    const { run } = await backedUp();
    const { url, told } = await listener();
    expect(await run(['backup'], { env: { HEARTBEAT_URL: `${url}/topsecret` } })).toExitWith(0);
    expect(told.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /topsecret/start',
      'POST /topsecret',
    ]);
    expect(told[1]?.body).toMatch(/^pratiko_backup_\d{8}_\d{6}\.sql\.gz: 1 table, 1,000 rows$/);
  });

  test('tells why a backup failed, and no word of a secret', async () => {
    const { run } = await backedUp();
    const { url, told } = await listener();
    const env = { HEARTBEAT_URL: `${url}/topsecret/?a=b`, POSTGRES_PORT: '1' };
    const failed = await run(['backup'], { env });
    expect(failed).toExitWith(13);
    expect(told.map(({ path }) => path)).toEqual(['/topsecret/start?a=b', '/topsecret/fail?a=b']);
    expect(told[1]?.body).toMatch(/^cannot connect to 127\.0\.0\.1:1: connection refused; hint: /);
    expect(failed.stderr).not.toContain('topsecret');
  });

  test('hears nothing of a run that found another one at work', async () => {
    const { run, directory, env: set } = await backedUp();
    const { url, told } = await listener();
    const { command, release } = await waiting();
    const first = launch(['backup'], { ...set, BEFORE_BACKUP: command });
    await expect.poll(() => readdir(directory)).toContain('.pratiko_backup.lock');
    expect(await run(['backup'], { env: { HEARTBEAT_URL: url } })).toExitWith(11);
    await release();
    expect((await first).exitCode).toBe(0);
    expect(told).toEqual([]);
  });

  test('hears of backups alone: a drill or a prune would hide that there are none', async () => {
    const { run } = await backedUp();
    const { url, told } = await listener();
    const env = { HEARTBEAT_URL: url };
    for (const args of [['prune'], ['verify', '--restore'], ['doctor', '--notify']])
      await run(args, { env });
    expect(told).toEqual([]);
  });

  test.each([
    [
      'https://kuma.lan/api/push/abc?status=up&msg=OK&ping=',
      'success',
      'https://kuma.lan/api/push/abc?status=up&msg=all+well&ping=',
    ],
    [
      'https://kuma.lan/api/push/abc',
      'fail',
      'https://kuma.lan/api/push/abc?status=down&msg=all+well',
    ],
    ['https://cronitor.link/p/KEY/backup', 'start', 'https://cronitor.link/p/KEY/backup?state=run'],
    [
      'https://cronitor.link/p/KEY/backup',
      'success',
      'https://cronitor.link/p/KEY/backup?state=complete&message=all+well',
    ],
    [
      'https://cronitor.link/p/KEY/backup',
      'fail',
      'https://cronitor.link/p/KEY/backup?state=fail&message=all+well',
    ],
    ['https://hc-ping.com/uuid', 'fail', 'https://hc-ping.com/uuid/fail'],
  ] as const)('%s is told of %s', (url, state, expected) => {
    expect(pingOf(url, state, state === 'start' ? '' : 'all well')?.url).toBe(expected);
  });

  test('Uptime Kuma is not told of a beginning', () => {
    expect(pingOf('https://kuma.lan/api/push/abc', 'start', '')).toBeUndefined();
  });
});

describe('the webhook', () => {
  const parse = ({ body }: Request) => webhookMessage.parse(JSON.parse(body));

  test('gets the outcome of backups, drills, copies and prunes as its schema has it', async () => {
    const { run, database } = await backedUp();
    const { url, told } = await listener();
    const place = join(await temporaryDirectory(), 'copies');
    await mkdir(place);
    const env = {
      WEBHOOK_URL: url.replace('//', '//me:top%20secret@'),
      OFFSITE_URL: `file://${place}`,
    };
    expect(await run(['backup'], { env })).toExitWith(0);
    expect(await run(['verify', '--restore'], { env })).toExitWith(0);
    expect(await run(['copy'], { env })).toExitWith(0);
    expect(await run(['prune'], { env })).toExitWith(0);
    expect(await run(['prune', '--dry-run'], { env })).toExitWith(0);
    const messages = told.map(parse);
    expect(messages.map(({ job, outcome }) => `${job} ${outcome}`)).toEqual([
      'backup success',
      'drill success',
      'copy success',
      'prune success',
    ]);
    expect(messages[0]).toMatchObject({ tables: 1, rows: 1000, removed: 0, failure: null });
    expect(messages[0]?.database).toMatch(new RegExp(`^${database} on 127`));
    expect(messages[1]).toMatchObject({ tables: 1, rows: 1000, backup: messages[0]?.backup });
    expect(told[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('me:top secret').toString('base64')}`,
    });
  });

  test('gets what failed, with its kind and hint', async () => {
    const { run, database, name } = await backedUp();
    const { url, told } = await listener();
    const env = { WEBHOOK_URL: url };
    await run(['backup'], { env: { ...env, POSTGRES_PORT: '1' } });
    await sql('postgres', `CREATE ROLE r_${database} LOGIN PASSWORD 'x';`);
    onTestFinished(async () => {
      await sql('postgres', `DROP ROLE r_${database};`);
    });
    const login = { POSTGRES_USER: `r_${database}`, POSTGRES_PASSWORD: 'x' };
    expect(await run(['verify', '--restore'], { env: { ...env, ...login } })).toExitWith(22);
    await run(['copy'], { env: { ...env, OFFSITE_URL: 'file:///nowhere/at/all' } });
    // Who types a wrong word is told himself.
    await run(['prune', '--keep', name, '--unkeep', name], { env });
    await run(['verify', '--restore', '20200101'], { env });
    const messages = told.map(parse);
    expect(messages.map(({ job, outcome, failure }) => [job, outcome, failure?.kind])).toEqual([
      ['backup', 'failure', 'cannotConnect'],
      ['drill', 'failure', 'restoreFailed'],
      ['copy', 'incomplete', 'incomplete'],
    ]);
    expect(messages[0]?.failure?.hint).toContain('docker compose ps');
  });

  test('hears of a backup that is safe although a later step failed', async () => {
    const { run } = await backedUp();
    const { url, told } = await listener();
    expect(await run(['backup'], { env: { WEBHOOK_URL: url, AFTER_BACKUP: 'false' } })).toExitWith(
      3,
    );
    expect(told.map(parse)).toMatchObject([
      {
        job: 'backup',
        outcome: 'incomplete',
        tables: 1,
        rows: 1000,
        failure: { kind: 'incomplete' },
      },
    ]);
    expect(told.map(parse)[0]?.backup).toMatch(/^pratiko_backup_/);
  });

  test('is tried by doctor --notify', async () => {
    const { run } = await backedUp();
    const { url, told } = await listener();
    const doctor = await run(['doctor', '--notify'], { env: { WEBHOOK_URL: url } });
    expect(doctor.stdout).toMatch(/ok +webhook +a test message was sent/);
    expect(told.map(parse)).toMatchObject([{ job: 'test' }]);
  });
});

describe('whatever those do who listen, the result is the same', () => {
  test.each<[string, RequestListener, string]>([
    ['500', (_, response) => response.writeHead(500).end(), 'HTTP 500'],
    ['nothing', () => undefined, 'no answer within|the request failed'],
    ['garbage', (request) => request.socket.end('this is not HTTP'), 'the request failed|HPE_'],
  ])('they answer %s', async (_, answer, said) => {
    const { run } = await backedUp();
    const { url } = await listener(answer);
    const env = { HEARTBEAT_URL: `${url}/topsecret`, WEBHOOK_URL: `${url}/topsecret` };
    const started = performance.now();
    const { exitCode, stderr } = await run(['backup'], { env });
    expect(exitCode).toBe(0);
    // A listener that never answers is left alone after 10 s; a machine may be slow itself.
    expect(performance.now() - started).toBeLessThan(25_000);
    expect(stderr).toMatch(new RegExp(`HEARTBEAT_URL was not told: (${said})`));
    expect(stderr).toMatch(new RegExp(`WEBHOOK_URL was not told: (${said})`));
    expect(stderr).not.toContain('topsecret');
  });

  test('nobody is there', async () => {
    const { run } = await backedUp();
    const url = `http://${await closedPort()}/topsecret`;
    const { exitCode, stderr } = await run(['backup'], {
      env: { HEARTBEAT_URL: url, WEBHOOK_URL: url },
    });
    expect(exitCode).toBe(0);
    expect(stderr.match(/was not told: ECONNREFUSED/g)).toHaveLength(2);
    expect(stderr).not.toContain('topsecret');
  });

  test('what is no URL is refused, and not shown', async () => {
    const { run } = await backedUp();
    const { exitCode, stderr } = await run(['backup'], { env: { HEARTBEAT_URL: 'topsecret' } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('HEARTBEAT_URL');
    expect(stderr).not.toContain('topsecret');
  });
});
