import { totalRows } from '../../base/table-rows.ts';
import type { Context } from '../../context.ts';
import { telling } from '../../notify/notify.ts';
import { drill, notTheSame, type DrillOptions, type DrillReport } from './drill.ts';

/** A drill for its own sake: what came of it is told. */
export const toldDrill = (context: Context, options: DrillOptions): Promise<DrillReport> =>
  telling(
    context,
    'drill',
    () => drill(context, options),
    (report) =>
      notTheSame(report) ?? {
        backup: report.name,
        tables: report.tables.length,
        rows: totalRows(report.tables),
        durationMs: report.durationMs,
      },
  );
