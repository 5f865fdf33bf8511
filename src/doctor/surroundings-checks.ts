import type { Context } from '../context.ts';
import { databaseLabel } from '../notify/notify.ts';
import { sendToSlack } from '../notify/slack.ts';
import { notifyWebhook } from '../notify/webhook.ts';
import { failed, ok, type Check } from './check.ts';

/** The versions of Node that this program is made for (package.json, engines). */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isMadeFor = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  return isMadeFor
    ? ok('node', version)
    : failed('node', `${version} is too old`, 'install Node.js 20.19 or later, or 22.12 or later');
}

/**
 * Who is told of what was done.
 * @param send a test message is to be sent.
 */
export async function listenerChecks(context: Context, send: boolean): Promise<Check[]> {
  const { slack, webhookUrl, heartbeatUrl, proxies } = context.config;
  const database = databaseLabel(context);
  const text = `pratiko-backup: this is a test. What becomes of backups of ${database} is told here.`;
  const test = { job: 'test', outcome: 'success', database, done: {} } as const;
  const checks = [
    ...(slack === undefined
      ? []
      : [await listenerCheck('slack', send, () => sendToSlack(slack.url, { text }, proxies))]),
    ...(webhookUrl === undefined
      ? []
      : [
          await listenerCheck('webhook', send, () =>
            notifyWebhook(webhookUrl, test, proxies, context),
          ),
        ]),
    ...(heartbeatUrl === undefined
      ? []
      : [ok('heartbeat', 'set; only a backup tells it anything, a test would count as one')]),
  ];
  if (checks.length > 0) return checks;
  return [
    send
      ? failed(
          'slack',
          'there is nobody to tell',
          'set SLACK_WEBHOOK_URL, WEBHOOK_URL or HEARTBEAT_URL',
        )
      : ok('slack', 'not set: failures are told by the exit code and the log alone'),
  ];
}

async function listenerCheck(
  name: string,
  send: boolean,
  tell: () => Promise<string | undefined>,
): Promise<Check> {
  if (!send) return ok(name, 'set; --notify sends a test message');
  const problem = await tell();
  return problem === undefined
    ? ok(name, 'a test message was sent')
    : failed(name, `it was not told: ${problem}`, 'check its URL, and the way to it');
}
