import { formatRows } from '../../cli/table.ts';
import type { Check } from '../../doctor/check.ts';

const words = { ok: 'ok', warning: 'warning', failed: 'FAILED' } as const;

/**
 * A line a check; a hint is not broken: what is in it can be copied.
 * @param width columns of the terminal; undefined where there is none.
 */
export const describeChecks = (checks: readonly Check[], width: number | undefined) =>
  formatRows(
    checks.map(({ name, state, message }) => [words[state], name, message]),
    { width },
  )
    .map((row, index) => {
      const { hint } = checks[index] ?? {};
      return hint === undefined ? row : `${row}\n         hint: ${hint}`;
    })
    .join('\n');
