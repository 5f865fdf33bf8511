import { formatCount, formatDuration, formatPlural } from '../../base/format.ts';
import type { ReadProgress } from '../../restore/restore.ts';

/** While the file is looked at, before a person agrees. */
export function describeSurvey({ readBytes, totalBytes, rows }: ReadProgress): string {
  return `checking ${percent(readBytes, totalBytes)}, ${formatPlural(rows, 'row')}`;
}

/** While nothing is loaded any more. */
export const describeBuild = (left: number) =>
  `the rows are loaded; building indexes and constraints, ${formatCount(left)} left`;

const percent = (part: number, whole: number) => `${Math.floor((100 * part) / whole)} %`;

/** Before that, nobody knows how long something will take. */
const knowsAfterSeconds = 1;

/**
 * Percent of the file, what is being loaded, how fast, and how long it will take.
 * @param now in ms; time counts from the first call.
 */
export function progressOf(
  now: () => number = () => performance.now(),
): (progress: ReadProgress) => string {
  let startedAt: number | undefined;
  return ({ readBytes, totalBytes, table, rows }) => {
    startedAt ??= now();
    if (readBytes === totalBytes) {
      return `the file is read, ${formatPlural(rows, 'row')}; finishing: indexes, constraints`;
    }
    const seconds = (now() - startedAt) / 1000;
    const left = ((totalBytes - readBytes) * seconds) / readBytes;
    return [
      `loading ${percent(readBytes, totalBytes)}`,
      ...(table === undefined ? [] : [table]),
      ...(rows === 0 ? [] : [formatPlural(rows, 'row')]),
      ...(seconds < knowsAfterSeconds || rows === 0
        ? []
        : [`${formatPlural(Math.round(rows / seconds), 'row')}/s`]),
      ...(seconds < knowsAfterSeconds ? [] : [`${formatDuration(left * 1000)} left`]),
    ].join(', ');
  };
}
