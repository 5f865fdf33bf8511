import { writeFile } from 'node:fs/promises';
import type { Cost } from './stage.ts';

/** What one contender needed, in every round. */
export interface Result {
  readonly name: string;
  readonly isOurs: boolean;
  readonly costs: readonly Cost[];
  /** Of its output; undefined for one that writes none. */
  readonly fileBytes?: number;
}

export interface GrowthPoint {
  readonly factor: number;
  readonly megabytes: number;
  readonly backup: Cost;
  readonly restore: Cost;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

const secondsOf = ({ costs }: Result) => median(costs.map(({ seconds }) => seconds));

/** The median over the rounds of ours divided by theirs in the same round. */
export function pairedRatio(ours: Result, theirs: Result): number {
  return median(
    ours.costs.map(({ seconds }, round) => seconds / (theirs.costs[round]?.seconds ?? NaN)),
  );
}

/** A Markdown table: medians, ratios, sizes, memory. */
export function formatResults(results: readonly Result[]): string {
  const ours = results.find(({ isOurs }) => isOurs);
  const lines = results.map((result) => {
    const peak = Math.max(...result.costs.map(({ peakMegabytes }) => peakMegabytes));
    return [
      result.name.replaceAll('|', '\\|'),
      `${secondsOf(result).toFixed(1)} s`,
      result === ours || !ours ? '' : `${pairedRatio(ours, result).toFixed(2)} ×`,
      result.fileBytes === undefined ? '' : `${(result.fileBytes / 1e6).toFixed(1)} MB`,
      `${peak.toFixed(0)} MB`,
    ];
  });
  const header = ['', 'median', 'ours takes', 'file', 'largest process'];
  return [header, header.map(() => '---'), ...lines]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

export function formatGrowth(points: readonly GrowthPoint[]): string {
  const lines = points.map(({ factor, megabytes, backup, restore }) =>
    [
      `${factor} × (${megabytes.toFixed(0)} MB of SQL)`,
      `${backup.seconds.toFixed(1)} s`,
      `${backup.peakMegabytes.toFixed(0)} MB`,
      `${restore.seconds.toFixed(1)} s`,
      `${restore.peakMegabytes.toFixed(0)} MB`,
    ].join(' | '),
  );
  return [
    '| | backup | memory | restore | memory |',
    '| --- | --- | --- | --- | --- |',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

const row = 26;
const left = 250;
const width = 720;

/** Bars of the medians, one group below the other. */
export async function writePlot(
  path: string,
  title: string,
  groups: readonly { readonly title: string; readonly results: readonly Result[] }[],
): Promise<void> {
  const longest = Math.max(...groups.flatMap(({ results }) => results.map(secondsOf)));
  const scale = (width - left - 80) / longest;
  const parts: string[] = [];
  let y = 56;
  for (const group of groups) {
    parts.push(text(16, y, group.title, 'font-weight="bold"'));
    y += row * 0.6;
    for (const result of group.results) {
      const seconds = secondsOf(result);
      const bar = Math.max(1, seconds * scale);
      parts.push(
        text(left - 10, y + 14, result.name, 'text-anchor="end"'),
        `<rect x="${left}" y="${y}" width="${bar.toFixed(1)}" height="18" rx="2" fill="${result.isOurs ? '#2f81c7' : '#a8b3bd'}"/>`,
        text(left + bar + 8, y + 14, `${seconds.toFixed(1)} s`),
      );
      y += row;
    }
    y += row;
  }
  await writeFile(
    path,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(16, 28, title, 'font-size="15"')}
${parts.join('\n')}
</svg>
`,
  );
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="#24292f" ${attributes}>${escaped}</text>`;
}
