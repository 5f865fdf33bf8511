/**
 * Does work under a signal that is also aborted when `watch` says so. It is given the means to abort,
 * and gives back how to end the watching.
 * @throws what it aborted with, or the reason of `signal` where that was aborted.
 */
export async function withLimit<Result>(
  signal: AbortSignal,
  watch: (abort: (reason: Error) => void) => () => void,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const interrupt = () => limit.abort(signal.reason);
  const end = watch((reason) => limit.abort(reason));
  signal.addEventListener('abort', interrupt);
  try {
    signal.throwIfAborted();
    return await work(limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    end();
    signal.removeEventListener('abort', interrupt);
  }
}

/**
 * The same after some time. Node 20 forgets an `AbortSignal.timeout` that only `AbortSignal.any` refers
 * to: this one is kept.
 * @throws what `expire` gives where the time was up.
 */
export async function withDeadline<Result>(
  signal: AbortSignal,
  ms: number,
  expire: () => Error,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return withLimit(
    signal,
    (abort) => {
      const timer = setTimeout(() => abort(expire()), ms);
      return () => clearTimeout(timer);
    },
    work,
  );
}
