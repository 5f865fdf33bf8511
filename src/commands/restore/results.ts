import { keptResult } from '../../cli/kept-database.ts';
import type { RestorePlanResult, RestoreResult, SalvageResult } from '../../cli/restore-results.ts';
import type { RestorePlan } from '../../restore/plan.ts';
import type { RestoreReport } from '../../restore/restore.ts';
import type { SalvageReport } from '../../restore/salvage.ts';

/** What a restore has done, for programs. */
export function restoreResultOf(report: RestoreReport): RestoreResult {
  const { plan, tables, inserted, skipped, refusals, refusedPath, dropped, durationMs } = report;
  return {
    backup: plan.file.path,
    database: plan.target,
    previous: dropped ? null : (plan.previous ?? null),
    previousDatabases: plan.remaining.map(keptResult),
    tables: [...tables],
    inserted,
    skipped: skippedOf(skipped),
    ...(refusals && {
      refused: refusals.statements.map(({ refused }) => refused),
      refusedTables: refusals.tables.map(({ table, rows }) => ({ table, rows })),
      refusedFile: refusedPath ?? null,
    }),
    durationMs: Math.round(durationMs),
  };
}

/** What a restore would do, for programs. */
export function planResultOf(plan: RestorePlan): RestorePlanResult {
  const { file, madeAt, target, previous, settings, remaining, comparison } = plan;
  return {
    dryRun: true,
    plan: {
      backup: file.path,
      madeAt: madeAt?.toISOString() ?? null,
      database: target,
      scratch: plan.scratch,
      previous: previous ?? null,
      roles: [...plan.missing.roles.keys()],
      memberships: plan.missing.memberships.map(({ role, member }) => ({ role, member })),
      settings: [...settings.before, ...settings.after],
      previousDatabases: remaining.map(keptResult),
      serverVersion: plan.serverVersion,
      clients: [...plan.clients],
      comparison: comparison ? { ...comparison, fewer: [...comparison.fewer] } : null,
      findings: [...plan.findings],
    },
  };
}

/** What was rescued, for programs. */
export const salvageResultOf = (report: SalvageReport): SalvageResult => ({
  path: report.path,
  database: report.database,
  tables: [...report.tables],
  largeObjects: report.largeObjects,
  defects: [...report.defects],
  refused: [...report.refused],
  skipped: skippedOf(report.skipped),
  leftOut: [...report.leftOut],
  findings: [...report.findings],
});

const skippedOf = ({ statements, roles, unassignable }: RestoreReport['skipped']) => ({
  statements,
  roles: [...roles],
  unassignable: [...unassignable],
});
