import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { withOneBackup } from '../support/prepared.ts';
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
