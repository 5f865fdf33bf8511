import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { formatBytes, formatDuration, formatPlural } from '../base/format.ts';
import { describeProblem, fetchThrough, timeoutMs, type Proxies } from './http.ts';
import type { Outcome } from './outcome.ts';

/** Slack takes 3,000 characters in a section, counted after escaping, with its label. */
const maxText = 2_800;

/**
 * Posts the news to a Slack webhook. Never throws.
 * @returns why it could not be delivered, without the URL, which is a secret; undefined if it was.
 */
export async function notifySlack(
  url: string,
  outcome: Outcome,
  proxies: Proxies,
): Promise<string | undefined> {
  return sendToSlack(url, slackMessage(outcome), proxies);
}

/** The same with any message. */
export async function sendToSlack(
  url: string,
  message: IncomingWebhookSendArguments,
  proxies: Proxies,
): Promise<string | undefined> {
  try {
    const { IncomingWebhook } = await import('@slack/webhook');
    const fetch = await fetchThrough(proxies);
    await new IncomingWebhook(url, { timeout: timeoutMs, fetch }).send(message);
    return undefined;
  } catch (error) {
    return describeProblem(error);
  }
}

/** What became of a job, for people. */
const titles: Record<Outcome['job'], Record<Outcome['outcome'], (database: string) => string>> = {
  backup: {
    success: (database) => `:white_check_mark: Backup of ${database} is good`,
    incomplete: (database) => `:warning: Backup of ${database} is safe, but a later step failed`,
    failure: (database) => `:x: Backup of ${database} FAILED`,
  },
  drill: {
    success: (database) => `:white_check_mark: A backup of ${database} was restored and compared`,
    incomplete: (database) => `:warning: A backup of ${database} is not proven`,
    failure: (database) => `:x: A backup of ${database} is NOT PROVEN`,
  },
  copy: {
    success: (database) => `:white_check_mark: Backups of ${database} are copied`,
    incomplete: (database) => `:warning: Backups of ${database} are safe, but not all are copied`,
    failure: (database) => `:x: Backups of ${database} are NOT COPIED`,
  },
  prune: {
    success: (database) => `:white_check_mark: Retention of ${database} is done`,
    incomplete: (database) => `:warning: Retention of ${database} is done, but not of its copies`,
    failure: (database) => `:x: Retention of ${database} FAILED`,
  },
};

/** The message in Block Kit, with `text` for notifications and old clients. */
export function slackMessage(outcome: Outcome): IncomingWebhookSendArguments {
  const title = titles[outcome.job][outcome.outcome](escape(outcome.database));
  const facts = factsOf(outcome).map(([label, value]) => `*${label}:* ${escape(value)}`);
  return {
    text: [title, ...facts].join('\n'),
    blocks: [title, ...facts].map((text) => ({
      type: 'section',
      text: { type: 'mrkdwn', text },
    })),
  };
}

function factsOf({ done, warning, failure }: Outcome): [label: string, value: string][] {
  const { backup, bytes, tables, rows, durationMs, removed, copied } = done;
  const facts: readonly (readonly [label: string, value: string | undefined])[] = [
    ['Error', failure?.message],
    ['Look', warning],
    ['Hint', failure?.hint],
    ['File', backup],
    ['Size', bytes === undefined ? undefined : formatBytes(bytes)],
    [
      'Content',
      tables === undefined || rows === undefined
        ? undefined
        : `${formatPlural(tables, 'table')}, ${formatPlural(rows, 'row')}`,
    ],
    ['Duration', durationMs === undefined ? undefined : formatDuration(durationMs)],
    [
      'Removed by retention',
      removed === undefined ? undefined : formatPlural(removed, 'old backup'),
    ],
    ['Copies made', copied === undefined ? undefined : String(copied)],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]));
}

/** Slack's three control characters; long texts are cut. */
function escape(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.length > maxText
    ? `${escaped.slice(0, maxText).replace(/&[a-z]*$/, '')}…`
    : escaped;
}
