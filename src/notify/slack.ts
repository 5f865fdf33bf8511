import type { FetchFunction, IncomingWebhookSendArguments } from '@slack/webhook';
import { systemErrorCode } from '../base/errors.ts';
import { formatBytes, formatDuration, formatPlural } from '../base/format.ts';
import type { BackupOutcome } from './outcome.ts';

/** A notification must not delay the end of a backup by more than 10 s. */
const timeoutMs = 8_000;

/** Slack takes 3,000 characters in a section, counted after escaping, with its label. */
const maxText = 2_800;

/**
 * Posts the news to a Slack webhook. Never throws.
 * @param proxies variables like `HTTPS_PROXY`.
 * @returns why it could not be delivered, without the URL, which is a secret; undefined if it was.
 */
export async function notifySlack(
  url: string,
  outcome: BackupOutcome,
  proxies: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return sendToSlack(url, slackMessage(outcome), proxies);
}

/** The same with any message. */
export async function sendToSlack(
  url: string,
  message: IncomingWebhookSendArguments,
  proxies: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  try {
    const { IncomingWebhook } = await import('@slack/webhook');
    const options = { timeout: timeoutMs, ...(await throughProxy(proxies)) };
    await new IncomingWebhook(url, options).send(message);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

/** A fetch that keeps to `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, which Node's own does not. */
async function throughProxy(variables: Readonly<Record<string, string | undefined>>) {
  const of = (name: string) => variables[name.toLowerCase()] ?? variables[name];
  const proxies = { httpsProxy: of('HTTPS_PROXY') ?? '', httpProxy: of('HTTP_PROXY') ?? '' };
  if (proxies.httpsProxy === '' && proxies.httpProxy === '') return {};
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({ ...proxies, noProxy: of('NO_PROXY') ?? '' });
  const fetchThroughIt: FetchFunction = (url, { body, ...init } = {}) =>
    fetch(url, { ...init, ...(typeof body === 'string' && { body }), dispatcher });
  return { fetch: fetchThroughIt };
}

/** The message in Block Kit, with `text` for notifications and old clients. */
export function slackMessage(outcome: BackupOutcome): IncomingWebhookSendArguments {
  const database = escape(outcome.database);
  const title = {
    success: `:white_check_mark: Backup of ${database} is good`,
    incomplete: `:warning: Backup of ${database} is safe, but a later step failed`,
    failure: `:x: Backup of ${database} FAILED`,
  }[outcome.outcome];
  const facts = factsOf(outcome).map(([label, value]) => `*${label}:* ${escape(value)}`);
  return {
    text: [title, ...facts].join('\n'),
    blocks: [title, ...facts].map((text) => ({
      type: 'section',
      text: { type: 'mrkdwn', text },
    })),
  };
}

function factsOf(outcome: BackupOutcome): [label: string, value: string][] {
  const warning: [string, string][] =
    outcome.warning === undefined ? [] : [['Look', outcome.warning]];
  if (outcome.outcome !== 'success') {
    const facts: [string, string][] = [['Error', outcome.error], ...warning];
    return outcome.hint === undefined ? facts : [...facts, ['Hint', outcome.hint]];
  }
  return [
    ...warning,
    ['File', outcome.file],
    ['Size', formatBytes(outcome.bytes)],
    ['Content', `${formatPlural(outcome.tables, 'table')}, ${formatPlural(outcome.rows, 'row')}`],
    ['Duration', formatDuration(outcome.durationMs)],
    ['Removed by retention', formatPlural(outcome.removed, 'old backup')],
  ];
}

/** Slack's three control characters; long texts are cut. */
function escape(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.length > maxText
    ? `${escaped.slice(0, maxText).replace(/&[a-z]*$/, '')}…`
    : escaped;
}

/** Error objects of HTTP clients can contain the URL: only codes are told. */
function describe(error: unknown): string {
  if (error instanceof Error && 'statusCode' in error) return `HTTP ${String(error.statusCode)}`;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
    const code = systemErrorCode(cause);
    if (code !== undefined && /^E[A-Z_]+$/.test(code)) return code;
  }
  return 'the request failed';
}
