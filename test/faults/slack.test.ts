import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withOneBackup } from '../support/aged-backups.ts';
import { closedPort, startWebhook } from '../support/slack.ts';

const empty = 'SELECT 1;';

describe('whatever Slack does, the backup is done and ends within 10 s', () => {
  test.each<[string, RequestListener, string]>([
    ['500', (_, response) => response.writeHead(500).end('no'), 'HTTP 500'],
    ['429', (_, response) => response.writeHead(429).end('no'), 'HTTP 429'],
    ['404', (_, response) => response.writeHead(404).end('no'), 'HTTP 404'],
    ['garbage', (request) => request.socket.end('this is not HTTP'), 'the request failed'],
    ['nothing', () => undefined, 'no answer within 8 s'],
  ])('it answers %s', async (_, answer, told) => {
    const { run } = await withOneBackup(empty);
    const { url } = await startWebhook(answer);
    const { exitCode, stderr } = await run(['backup'], { env: { SLACK_WEBHOOK_URL: url } });
    expect(stderr).toMatch(new RegExp(`Slack was not told: (${told}|HPE_[A-Z_]+)`));
    expect(stderr).not.toContain('topsecret');
    expect(exitCode).toBe(0);
  });

  test.each([
    ['refuses', closedPort, /ECONNREFUSED/],
    ['has no address', () => Promise.resolve('slack.invalid'), /ENOTFOUND|EAI_AGAIN/],
  ])('it %s', async (_, host, told) => {
    const url = `http://${await host()}/topsecret`;
    const { run } = await withOneBackup(empty);
    const { exitCode, stderr } = await run(['backup'], { env: { SLACK_WEBHOOK_URL: url } });
    expect(stderr).toMatch(told);
    expect(stderr).not.toContain('topsecret');
    expect(exitCode).toBe(0);
  });
});

test('a proxy is used where one is set, and not for what it is not for', async () => {
  const asked: string[] = [];
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', (request, socket, head) => {
    asked.push(request.url ?? '');
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const onwards = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onwards.write(head);
      socket.pipe(onwards).pipe(socket);
    });
    for (const end of [socket, onwards]) end.on('error', () => onwards.destroy());
  });
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { run } = await withOneBackup(empty);
  const { url, messages } = await startWebhook();
  const { port } = proxy.address() as AddressInfo;
  const env = { SLACK_WEBHOOK_URL: url, HTTP_PROXY: `http://127.0.0.1:${port}` };
  expect(await run(['backup'], { env })).toExitWith(0);
  expect(asked).toEqual([new URL(url).host]);
  expect(messages).toHaveLength(1);
  expect(await run(['backup'], { env: { ...env, NO_PROXY: '127.0.0.1' } })).toExitWith(0);
  expect(asked).toHaveLength(1);
  expect(messages).toHaveLength(2);
  const others = { HTTP_PROXY: env.HTTP_PROXY, HEARTBEAT_URL: url, WEBHOOK_URL: url };
  expect(await run(['backup'], { env: others })).toExitWith(0);
  expect(new Set(asked)).toEqual(new Set([new URL(url).host]));
  expect(asked.length).toBeGreaterThan(1);
  expect(messages).toHaveLength(5);
});
