const bars = '▁▂▃▄▅▆▇█';

/** So many backups show where it goes. */
const shown = 30;

/**
 * How size and rows have gone: `size ▆▇█ rows ▇▇▁, the last 3 backups`; undefined where there is one alone.
 * @param backups newest first.
 */
export function describeTrend(
  backups: readonly { readonly bytes: number; readonly rows: number | undefined }[],
): string | undefined {
  const last = backups.slice(0, shown).toReversed();
  if (last.length < 2) return undefined;
  const size = sparkline(last.map(({ bytes }) => bytes));
  const rows = sparkline(last.map((backup) => backup.rows ?? 0));
  return `size ${size} rows ${rows}, the last ${last.length} backups`;
}

/** Numbers as bars, from nothing to the largest: `▁▃▅█`. */
function sparkline(numbers: readonly number[]): string {
  const most = Math.max(...numbers, 1);
  return numbers
    .map((number) => bars[Math.round((number / most) * (bars.length - 1))] ?? '')
    .join('');
}
