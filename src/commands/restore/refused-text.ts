import { formatCount, formatPlural } from '../../base/format.ts';
import type { Log } from '../../base/log.ts';
import type { Refusals } from '../../restore/load/refusals.ts';
import type { RefusedStatement } from '../../restore/load/refusals.ts';

/** What a restore is going to lack, before a person agrees. */
export function announceRefusals(
  { statements, tables }: Refusals,
  path: string | undefined,
  log: Log,
): void {
  const own = statements.filter(({ isAddition }) => !isAddition);
  for (const line of describeRefused(own.map(({ refused }) => refused))) log.warn(line);
  for (const { table, rows, inserts, statements: additions } of tables) {
    // One INSERT can hold several.
    const atLeast = inserts > 0 ? 'at least ' : '';
    log.warn(
      `there will be no table ${table}: left out are ${atLeast}${formatPlural(rows, 'row')} and ${formatPlural(additions, 'statement')} about it`,
    );
  }
  if (path !== undefined) log.info(`this is written to ${path}, to be run when the cause is gone`);
}

/** So many refused statements are shown one by one. */
const maxRefused = 20;

/** What the server refused, each a line: object, place, reason. */
export function describeRefused(refused: readonly RefusedStatement[]): string[] {
  const lines = refused
    .slice(0, maxRefused)
    .map(
      ({ line, object, statement, reason }) =>
        `the server refused ${object ?? statement} (line ${formatCount(line)} of the dump): ${reason}`,
    );
  const more = refused.length - lines.length;
  return more > 0 ? [...lines, `and ${formatPlural(more, 'more statement')}`] : lines;
}
