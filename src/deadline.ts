/**
 * Does work under a signal that is also aborted after some time. Node 20 forgets an
 * `AbortSignal.timeout` that only `AbortSignal.any` refers to: this one is kept.
 * @throws what `expire` gives where the time was up, the reason of `signal` where that was aborted.
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  ms: number,
  expire: () => Error,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const interrupt = () => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(expire()), ms);
  signal.addEventListener('abort', interrupt);
  try {
    signal.throwIfAborted();
    return await work(limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupt);
  }
}
