import { Interrupted, type StopSignal } from '../base/errors.ts';

/** Closing a terminal, or Ctrl-C under npx, sends the same signal twice: that is not impatience. */
const sameSignalMs = 500;

/**
 * Signals that end a run: the first aborts what is going on, which then cleans up.
 * @param endAtOnce called for a second one, from somebody who does not want to wait.
 */
export function watchSignals(endAtOnce: (reason: Interrupted) => void): AbortSignal {
  const interruption = new AbortController();
  let interruptedAt = 0;
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] satisfies StopSignal[]) {
    process.on(signal, () => {
      const reason = new Interrupted(signal);
      const first: unknown = interruption.signal.reason;
      if (first === undefined) {
        interruptedAt = performance.now();
        interruption.abort(reason);
      } else if (
        !(first instanceof Interrupted && first.signal === signal) ||
        performance.now() - interruptedAt > sameSignalMs
      ) {
        endAtOnce(reason);
      }
    });
  }
  return interruption.signal;
}
