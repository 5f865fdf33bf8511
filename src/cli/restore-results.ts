import { z } from 'zod';
import { count, moment, previousDatabase, tableRows } from './results.ts';

const finding = z.strictObject({
  severity: z.enum(['blocker', 'warning', 'note']),
  message: z.string(),
  hint: z.string(),
});

const skipped = z.strictObject({
  statements: count,
  roles: z.array(z.string()),
  unassignable: z.array(z.string()),
});

const refusedStatement = z.strictObject({
  /** The line of the dump, from 1. */
  line: count,
  object: z.string().optional(),
  statement: z.string(),
  reason: z.string(),
});

export const restoreResult = z.strictObject({
  /** The path of the file. */
  backup: z.string(),
  database: z.string(),
  /** The name under which the replaced database is kept; null where there is none. */
  previous: z.string().nullable(),
  /** Kept by earlier restores. */
  previousDatabases: z.array(previousDatabase),
  tables: z.array(tableRows),
  /** Rows that came as INSERT statements. */
  inserted: count,
  skipped,
  /** What is not in the new database, with `--skip-refused`. */
  refused: z.array(refusedStatement).optional(),
  refusedTables: z.array(tableRows).optional(),
  refusedFile: z.string().nullable().optional(),
  durationMs: count,
});
export type RestoreResult = z.input<typeof restoreResult>;

/** `restore --dry-run` */
export const restorePlanResult = z.strictObject({
  dryRun: z.literal(true),
  plan: z.strictObject({
    /** The path of the file. */
    backup: z.string(),
    /** null where neither manifest nor name tell. */
    madeAt: moment.nullable(),
    database: z.string(),
    /** Where the dump is loaded first. */
    scratch: z.string(),
    /** The name that the present database gets; null where there is none. */
    previous: z.string().nullable(),
    /** Roles that are created before (--globals). */
    roles: z.array(z.string()),
    /** Who is made a member of which role before. */
    memberships: z.array(z.strictObject({ role: z.string(), member: z.string() })),
    /** Statements that give the new database what the present one has. */
    settings: z.array(z.string()),
    previousDatabases: z.array(previousDatabase),
    serverVersion: z.string(),
    /** Who will be disconnected. */
    clients: z.array(
      z.strictObject({ user: z.string(), application: z.string(), sessions: count }),
    ),
    /** Rows that are there, about, and that will be; null where one side is not known. */
    comparison: z
      .strictObject({
        live: count,
        backup: count,
        fewer: z.array(
          z.strictObject({ table: z.string(), live: count, backup: count.nullable() }),
        ),
      })
      .nullable(),
    findings: z.array(finding),
  }),
});
export type RestorePlanResult = z.input<typeof restorePlanResult>;

/** `restore --undo` */
export const undoResult = z.strictObject({
  database: z.string(),
  /** The name under which the database was kept. */
  was: z.string(),
  /** The name under which the undone one is kept; null where there was none. */
  previous: z.string().nullable(),
});
export type UndoResult = z.input<typeof undoResult>;

/** `restore --undo --dry-run` */
export const undoPlanResult = z.strictObject({
  dryRun: z.literal(true),
  plan: z.strictObject({
    database: z.string(),
    /** The database that gets its name back. */
    returning: previousDatabase,
    previous: z.string().nullable(),
    findings: z.array(finding),
  }),
});
export type UndoPlanResult = z.input<typeof undoPlanResult>;

/** `restore --salvage` */
export const salvageResult = z.strictObject({
  /** The path of the file. */
  path: z.string(),
  /** The new database that holds what was rescued. */
  database: z.string(),
  tables: z.array(
    tableRows.extend({
      state: z.enum(['complete', 'cut', 'refused', 'noTable', 'inserted', 'absent']),
    }),
  ),
  largeObjects: count,
  defects: z.array(z.string()),
  refused: z.array(refusedStatement),
  skipped,
  /** What reaches outside the database, each a clause. */
  leftOut: z.array(z.string()),
  findings: z.array(finding),
});
export type SalvageResult = z.input<typeof salvageResult>;
