import { Failure } from '../../base/errors.ts';
import { formatBytes, formatDuration, formatPlural } from '../../base/format.ts';
import { totalRows } from '../../base/table-rows.ts';
import type { DrillResult } from '../../cli/results.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Context } from '../../context.ts';
import type { DrillProgress, DrillReport } from '../../restore/drill/drill.ts';

export interface DrillChoice {
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
  const { drill } = await import('../../restore/drill/drill.ts');
  const report = await drill(context, {
    ...choice,
    onProgress: (progress) => shell.progress(() => describeProgress(progress)),
  });
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
  if (good) return;
  throw new Failure(
    'verificationFailed',
    `${report.name} does not come back as it is: ${report.differences.join('; ')}`,
    {
      hint: 'the backup was not changed; look at it in a database beside: `pratiko-backup restore FILE --to NEW_DATABASE`',
    },
  );
}

export function describeProgress({ phase, bytes, totalBytes }: DrillProgress): string {
  const of = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
  return `drill: ${phase} ${formatBytes(bytes)}${of}`;
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
