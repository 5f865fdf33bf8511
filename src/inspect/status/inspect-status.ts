import type { Context } from '../../context.ts';
import { collectFacts } from './facts.ts';
import { roomFor } from './known.ts';
import { formatMetrics } from './prometheus.ts';
import { judge, type Status } from './status.ts';

/**
 * Looks at everything that tells whether backups are made and can be trusted; needs no server.
 * @param maxAgeMs how old the last good backup may be.
 * @param options with which this run finds its settings.
 */
export async function inspectStatus(
  context: Context,
  maxAgeMs: number,
  options: readonly string[],
): Promise<{
  readonly status: Status;
  /** How many more backups there is room for; undefined where that is not known. */
  readonly room: number | undefined;
  /** The same for Prometheus. */
  readonly metrics: string;
}> {
  const status = judge(await collectFacts(context, options), maxAgeMs);
  return { status, room: roomFor(status), metrics: formatMetrics(status) };
}
