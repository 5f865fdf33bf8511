import { Failure, messageOf } from '../base/errors.ts';

/** One thing that was looked at. */
export interface Check {
  /** `connection` */
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do, where it is not ok. */
  readonly hint?: string;
}

export const ok = (name: string, message: string): Check => ({ name, state: 'ok', message });

export const warning = (name: string, message: string, hint: string): Check => ({
  name,
  state: 'warning',
  message,
  hint,
});

export const failed = (name: string, message: string, hint: string): Check => ({
  name,
  state: 'failed',
  message,
  hint,
});

/** What an error means for a check. */
export function failedBy(name: string, error: unknown): Check {
  const hint = error instanceof Failure ? error.hint : 'run it again with --verbose';
  return failed(name, messageOf(error), hint);
}

/** On this machine, nobody else can read along. */
export const isLocal = (host: string | undefined) =>
  host === undefined || host.startsWith('/') || /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host);
