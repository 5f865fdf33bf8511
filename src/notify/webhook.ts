import { send, type Proxies } from './http.ts';
import type { Outcome } from './outcome.ts';
import type { WebhookMessage } from './webhook-schema.ts';

/** Who tells. */
export interface Sender {
  readonly hostname: string;
  /** The version of pratiko-backup. */
  readonly version: string;
  readonly now: () => Date;
}

/**
 * Posts an outcome as JSON (webhook-schema.ts). Never throws.
 * @returns why it could not be delivered, without the URL; undefined if it was.
 */
export const notifyWebhook = (
  url: string,
  outcome: Omit<Outcome, 'job'> & { readonly job: WebhookMessage['job'] },
  proxies: Proxies,
  sender: Sender,
): Promise<string | undefined> => {
  const body = JSON.stringify(webhookMessageOf(outcome, sender));
  return send(url, { method: 'POST', type: 'application/json', body }, proxies);
};

function webhookMessageOf(
  { job, outcome, database, done, warning, failure }: Parameters<typeof notifyWebhook>[1],
  { hostname, version, now }: Sender,
): WebhookMessage {
  return {
    format: 1,
    at: now().toISOString(),
    host: hostname,
    tool: `pratiko-backup ${version}`,
    job,
    outcome,
    database,
    backup: done.backup ?? null,
    bytes: done.bytes ?? null,
    tables: done.tables ?? null,
    rows: done.rows ?? null,
    durationMs: done.durationMs === undefined ? null : Math.round(done.durationMs),
    removed: done.removed ?? null,
    copied: done.copied ?? null,
    warning: warning ?? null,
    failure: failure ? { ...failure, hint: failure.hint ?? null } : null,
  };
}
