import { setMaxListeners } from 'node:events';

/**
 * Does something when a signal is aborted, or at once where it is already. As many may wait for one signal as there
 * are children: Node warns of more than ten.
 * @returns what makes it wait no longer.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', act);
  if (signal.aborted) act();
  return () => signal.removeEventListener('abort', act);
}
