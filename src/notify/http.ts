import type { FetchFunction } from '@slack/webhook';
import { systemErrorCode } from '../base/errors.ts';

/** Variables like `HTTPS_PROXY`, in either case. */
export type Proxies = Readonly<Record<string, string | undefined>>;

export interface Message {
  readonly method: 'GET' | 'POST';
  readonly type?: string;
  readonly body?: string;
}

/** A notification must not delay the end of a run by more than 10 s. */
export const timeoutMs = 8_000;

interface Limit {
  /** So long it may take, in milliseconds. */
  readonly ms?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a message to whoever listens at a URL. Never throws.
 * @returns why it could not be delivered, without the URL, which is a secret; undefined if it was.
 */
export async function send(
  address: string,
  { method, type, body }: Message,
  proxies: Proxies,
  { ms = timeoutMs, signal }: Limit = {},
): Promise<string | undefined> {
  try {
    const { url, authorization } = withoutLogin(address);
    const headers = { ...(type && { 'content-type': type }), ...authorization };
    const send = await fetchThrough(proxies);
    const limits = [AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])];
    const response = await send(url, {
      method,
      headers,
      signal: AbortSignal.any(limits),
      ...(body !== undefined && { body }),
    });
    await response.arrayBuffer(); // else the connection would stay
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    return describeProblem(error, ms);
  }
}

/** `fetch` takes no login in a URL. */
function withoutLogin(address: string) {
  const url = new URL(address);
  const { username, password } = url;
  if (username === '' && password === '') return { url: address, authorization: {} };
  url.username = url.password = '';
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: url.href,
    authorization: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  };
}

/** A fetch that keeps to `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, which Node's own does not. */
export async function fetchThrough(variables: Proxies): Promise<FetchFunction> {
  const of = (name: string) => variables[name.toLowerCase()] ?? variables[name];
  const proxies = { httpsProxy: of('HTTPS_PROXY') ?? '', httpProxy: of('HTTP_PROXY') ?? '' };
  if (proxies.httpsProxy === '' && proxies.httpProxy === '') return fetch;
  const { EnvHttpProxyAgent, fetch: fetchBy } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({ ...proxies, noProxy: of('NO_PROXY') ?? '' });
  return (url, { body, ...init } = {}) =>
    fetchBy(url, { ...init, ...(typeof body === 'string' && { body }), dispatcher });
}

/** Error objects of HTTP clients can contain the URL: only codes are told. */
export function describeProblem(error: unknown, ms = timeoutMs): string {
  if (error instanceof Error && 'statusCode' in error) return `HTTP ${String(error.statusCode)}`;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return `no answer within ${ms / 1000} s`;
    const code = systemErrorCode(cause);
    if (code !== undefined && /^(?:E|UND_ERR_|HPE_)[A-Z_]+$/.test(code)) return code;
  }
  return 'the request failed';
}
