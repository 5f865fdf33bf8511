import { formatDuration, formatPlural } from '../../base/format.ts';
import { totalRows } from '../../base/table-rows.ts';
import type { DrillResult } from '../../cli/results.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Context } from '../../context.ts';
import type { DrillReport } from '../../restore/drill/drill.ts';

interface DrillChoice {
  readonly file: string | undefined;
  readonly sandbox: boolean;
  readonly jobs: number;
}

/** `verify --restore`: proves that a backup comes back whole. */
export async function runDrill(
  context: Context,
  shell: Terminal,
  choice: DrillChoice,
): Promise<void> {
  const { requireProven } = await import('../../restore/drill/drill.ts');
  const { toldDrill } = await import('../../restore/drill/told-drill.ts');
  const report = await toldDrill(context, choice);
  const good = report.differences.length === 0;
  const result: DrillResult = {
    ...report,
    good,
    tables: [...report.tables],
    differences: [...report.differences],
    notCompared: [...report.notCompared],
    durationMs: Math.round(report.durationMs),
  };
  shell.result(result, describe(report));
  requireProven(report);
}

function describe(report: DrillReport): string {
  const { name, tables, differences, definitionsBy, notCompared, durationMs } = report;
  if (differences.length > 0) {
    return [`${name}  NOT THE SAME when restored:`, ...differences.map((each) => `  ${each}`)].join(
      '\n',
    );
  }
  const how =
    definitionsBy === 'statement'
      ? 'definitions compared statement by statement'
      : 'definitions compared as a list of objects (another pg_dump or server made the backup)';
  return [
    `${name}  proven: restored and compared in ${formatDuration(durationMs)}`,
    `  ${formatPlural(tables.length, 'table')}, ${formatPlural(totalRows(tables), 'row')}, sequences, large objects; ${how}`,
    ...notCompared.map((what) => `  not compared: ${what}`),
  ].join('\n');
}
