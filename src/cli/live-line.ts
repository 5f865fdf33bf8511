import { formatBytes, formatCount, formatDuration, formatPlural } from '../base/format.ts';
import type { Step } from '../base/step.ts';

/** Before that, nobody knows how fast it goes. */
const knowsAfterMs = 1000;

/**
 * Puts steps into words, what matters most first: `dumping about 45 %, 8 s left, 31 MB, 12 MB/s, public.chunks`.
 * The rate is that since the first step of its kind.
 * @param now milliseconds of a clock that only goes forward.
 */
export function liveLine(now: () => number): (step: Step) => string {
  let begun = { what: '', at: 0, bytes: 0 };
  return (step) => {
    const { what, bytes = 0, left, table, rows = 0 } = step;
    // Another attempt begins at the beginning.
    if (begun.what !== what || bytes < begun.bytes) begun = { what, at: now(), bytes };
    const ms = now() - begun.at;
    const perMs = ms < knowsAfterMs ? 0 : (bytes - begun.bytes) / ms;
    return [
      [what, percentOf(step)].filter((words) => words !== undefined).join(' '),
      ...(left === undefined ? [] : [`${formatCount(left)} left`]),
      ...timeLeft(step, perMs),
      ...(bytes === 0 ? [] : [formatBytes(bytes)]),
      ...(perMs <= 0 ? [] : [`${formatBytes(perMs * 1000)}/s`]),
      ...(table === undefined ? [] : [table]),
      ...(rows === 0 ? [] : [formatPlural(rows, 'row')]),
    ].join(', ');
  };
}

/** `45 %`, or `about 45 %` of what the last backup was. */
function percentOf({ bytes = 0, totalBytes, isEstimate }: Step): string | undefined {
  if (totalBytes === undefined || totalBytes === 0) return undefined;
  const percent = Math.floor((100 * bytes) / totalBytes);
  if (!isEstimate) return `${percent} %`;
  return bytes <= totalBytes ? `about ${percent} %` : '(more than the last backup)';
}

function timeLeft({ bytes = 0, totalBytes = 0 }: Step, perMs: number): string[] {
  if (perMs <= 0 || bytes >= totalBytes) return [];
  return [`${formatDuration((totalBytes - bytes) / perMs)} left`];
}
