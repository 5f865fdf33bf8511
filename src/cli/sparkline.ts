const bars = '▁▂▃▄▅▆▇█';

/** Numbers as bars, from nothing to the largest: `▁▃▅█`. */
export function sparkline(numbers: readonly number[]): string {
  const most = Math.max(...numbers, 1);
  return numbers
    .map((number) => bars[Math.round((number / most) * (bars.length - 1))] ?? '')
    .join('');
}
