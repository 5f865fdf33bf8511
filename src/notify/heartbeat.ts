import { setTimeout as sleep } from 'node:timers/promises';
import { formatPlural } from '../base/format.ts';
import { send, timeoutMs, type Message, type Proxies } from './http.ts';
import { isFine, type Outcome } from './outcome.ts';

/** What a service that watches for missing runs is told. */
type State = 'start' | 'success' | 'fail';

interface Ping {
  readonly url: string;
  readonly message: Message;
}

/** So much of a reason is told, in characters: services cut it. */
const maxReason = 1_000;

/** How long the word that a run began may still take when it has ended. */
const startMs = 2_000;

/** A run of which a dead-man's switch is told. */
export class Heartbeat {
  readonly #url: string;
  readonly #proxies: Proxies;
  readonly #limit = new AbortController();
  #begun: Promise<unknown> | undefined;

  constructor(url: string, proxies: Proxies) {
    this.#url = url;
    this.#proxies = proxies;
  }

  /** Tells that it begins, and does not wait for the answer. */
  begin(): void {
    const start = pingOf(this.#url, 'start', '');
    this.#begun = start && this.#send(start, timeoutMs, this.#limit.signal);
  }

  /**
   * Tells how it ended, after it was told that it began; not of one that never began because another one is at
   * work. Never throws.
   * @returns why it could not be told; undefined if it was.
   */
  async ended(outcome: Outcome): Promise<string | undefined> {
    if (outcome.failure?.kind === 'locked') return undefined;
    await Promise.race([this.#begun, sleep(startMs, undefined, { ref: false })]);
    this.#limit.abort();
    const reason = reasonOf(outcome).slice(0, maxReason);
    const ping = pingOf(this.#url, outcome.outcome === 'success' ? 'success' : 'fail', reason);
    return ping && this.#send(ping, timeoutMs - startMs);
  }

  #send({ url, message }: Ping, ms: number, signal?: AbortSignal): Promise<string | undefined> {
    return send(url, message, this.#proxies, { ms, signal });
  }
}

function reasonOf({ done, failure, warning, ...outcome }: Outcome): string {
  if (failure !== undefined)
    return [failure.message, failure.hint].filter(Boolean).join('; hint: ');
  const contents = `${done.backup ?? ''}: ${formatPlural(done.tables ?? 0, 'table')}, ${formatPlural(done.rows ?? 0, 'row')}`;
  return isFine({ ...outcome, done, warning }) ? contents : `${contents}; LOOK: ${warning ?? ''}`;
}

/**
 * How a service is told, by its URL: Uptime Kuma and Cronitor by a query; all others as healthchecks.io,
 * by a path behind theirs, with the reason as the text that is sent.
 * @returns undefined where it is not told of this.
 */
export function pingOf(address: string, state: State, reason: string): Ping | undefined {
  const url = new URL(address);
  if (/\/api\/push\/[^/]+\/?$/.test(url.pathname)) {
    if (state === 'start') return undefined;
    url.searchParams.set('status', state === 'success' ? 'up' : 'down');
    url.searchParams.set('msg', reason);
    return { url: url.href, message: { method: 'GET' } };
  }
  if (/(?:^|\.)cronitor\.(?:link|io)$/.test(url.hostname)) {
    url.searchParams.set('state', { start: 'run', success: 'complete', fail: 'fail' }[state]);
    if (reason !== '') url.searchParams.set('message', reason);
    return { url: url.href, message: { method: 'GET' } };
  }
  if (state !== 'success') url.pathname = `${url.pathname.replace(/\/$/, '')}/${state}`;
  return {
    url: url.href,
    message: { method: 'POST', type: 'text/plain; charset=utf-8', body: reason },
  };
}
