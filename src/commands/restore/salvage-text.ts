import { quoteIdentifier } from '../../base/sql.ts';
import { formatCount, formatPlural } from '../../base/format.ts';
import type { SalvageReport } from '../../restore/salvage.ts';
import type { SalvagedTable } from '../../restore/load/damaged.ts';
import { formatTable } from '../../cli/table.ts';

const judgements: Record<SalvagedTable['state'], string> = {
  complete: 'complete',
  inserted: 'by INSERT',
  cut: 'NOT WHOLE',
  refused: 'NOT WHOLE',
  noTable: 'NOT WHOLE',
  absent: 'NOT WHOLE',
};

function describeSalvaged({ state, rows }: SalvagedTable): string {
  if (state === 'absent') return 'absent';
  const count = formatPlural(rows, 'row');
  if (state === 'noTable') return `the table could not be created, ${count} in the file`;
  if (state === 'cut') return `cut after ${count}`;
  return state === 'refused' ? `${count}, the server refused the others` : count;
}

/** What was rescued, table by table. */
export function describeSalvage(
  { tables, largeObjects, database }: SalvageReport,
  width?: number,
): string {
  const lines = tables.map((table) => [
    table.table,
    judgements[table.state],
    describeSalvaged(table),
  ]);
  if (largeObjects > 0) lines.push(['(large objects)', '', formatCount(largeObjects)]);
  return [
    formatTable(lines, { width }),
    `what could be read is in database "${database}"; it replaces nothing, and stays until you drop it:`,
    `DROP DATABASE ${quoteIdentifier(database)};`,
  ].join('\n');
}
