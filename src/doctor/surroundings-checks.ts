import { serverLabel } from '../config/place.ts';
import type { Context } from '../context.ts';
import { sendToSlack } from '../notify/slack.ts';
import { failed, ok, type Check } from './check.ts';

/** The versions of Node that this program is made for (package.json, engines). */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isMadeFor = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  return isMadeFor
    ? ok('node', version)
    : failed('node', `${version} is too old`, 'install Node.js 20.19 or later, or 22.12 or later');
}

/** @param send a test message is to be sent. */
export async function slackCheck({ config }: Context, send: boolean): Promise<Check> {
  const { slack, proxies, connection } = config;
  if (slack === undefined) {
    return send
      ? failed('slack', 'there is nobody to tell', 'set SLACK_WEBHOOK_URL')
      : ok('slack', 'not set: failures are told by the exit code and the log alone');
  }
  if (!send) return ok('slack', 'set; --notify sends a test message');
  const text = `pratiko-backup: this is a test. What becomes of backups of ${connection.database} on ${serverLabel(connection)} is told here.`;
  const problem = await sendToSlack(slack.url, { text }, proxies);
  return problem === undefined
    ? ok('slack', 'a test message was sent')
    : failed('slack', `it was not told: ${problem}`, 'check SLACK_WEBHOOK_URL, and the way to it');
}
