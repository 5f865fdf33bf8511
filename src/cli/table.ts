import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { visible } from '../base/text.ts';

export interface TableOptions {
  /** Columns of these numbers are aligned right; the last one never is. */
  readonly right?: readonly number[];
  /** Columns of the terminal: what does not fit in the last column goes on below itself. */
  readonly width?: number | undefined;
}

/** Narrower than that, the last column is not broken: the terminal does it. */
const leastWidth = 16;

/** Rows as aligned columns, two spaces apart; wide characters count as two. */
export const formatTable = (rows: readonly (readonly string[])[], options?: TableOptions) =>
  formatRows(rows, options).join('\n');

/** The same, each row by itself. */
export function formatRows(
  rows: readonly (readonly string[])[],
  { right = [], width }: TableOptions = {},
): string[] {
  const shown = rows.map((row) => row.map(visible));
  const widths = widthsOf(shown);
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  const room = width === undefined ? Infinity : width - before;
  const isBroken = room >= leastWidth && room < (widths.at(-1) ?? 0);
  return shown.map((row) => {
    const last = row.length === widths.length ? (row.at(-1) ?? '') : '';
    const lines = isBroken ? wrapAnsi(last, room).split('\n') : [last];
    const cells = row.slice(0, widths.length - 1).map((cell, column) => {
      const padding = ' '.repeat((widths[column] ?? 0) - stringWidth(cell));
      return right.includes(column) ? padding + cell : cell + padding;
    });
    return [
      [...cells, lines[0] ?? ''].join('  ').trimEnd(),
      ...lines.slice(1).map((line) => ' '.repeat(before) + line),
    ].join('\n');
  });
}

/** How wide a table is that is not broken. */
export function tableWidth(rows: readonly (readonly string[])[]): number {
  return widthsOf(rows).reduce((sum, each) => sum + each + 2, -2);
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
}
