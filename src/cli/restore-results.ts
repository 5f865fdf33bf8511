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
  line: count.describe('The line of the dump, from 1.'),
  object: z.string().optional(),
  statement: z.string(),
  reason: z.string(),
});

export const restoreResult = z.strictObject({
  backup: z.string().describe('The path of the file.'),
  database: z.string(),
  previous: z
    .string()
    .nullable()
    .describe('The name under which the replaced database is kept; null where there is none.'),
  previousDatabases: z.array(previousDatabase).describe('Kept by earlier restores.'),
  tables: z.array(tableRows),
  inserted: count.describe('Rows that came as INSERT statements.'),
  skipped,
  refused: z
    .array(refusedStatement)
    .optional()
    .describe('What is not in the new database, with `--skip-refused`.'),
  refusedTables: z.array(tableRows).optional(),
  refusedFile: z.string().nullable().optional(),
  durationMs: count,
});
export type RestoreResult = z.input<typeof restoreResult>;

/** `restore --dry-run` */
export const restorePlanResult = z.strictObject({
  dryRun: z.literal(true),
  plan: z.strictObject({
    backup: z.string().describe('The path of the file.'),
    madeAt: moment.nullable().describe('null where neither manifest nor name tell.'),
    database: z.string(),
    scratch: z.string().describe('Where the dump is loaded first.'),
    previous: z
      .string()
      .nullable()
      .describe('The name that the present database gets; null where there is none.'),
    roles: z.array(z.string()).describe('Roles that are created before (--globals).'),
    memberships: z
      .array(z.strictObject({ role: z.string(), member: z.string() }))
      .describe('Who is made a member of which role before.'),
    settings: z
      .array(z.string())
      .describe('Statements that give the new database what the present one has.'),
    previousDatabases: z.array(previousDatabase),
    serverVersion: z.string(),
    clients: z
      .array(z.strictObject({ user: z.string(), application: z.string(), sessions: count }))
      .describe('Who will be disconnected.'),
    comparison: z
      .strictObject({
        live: count,
        backup: count,
        fewer: z.array(
          z.strictObject({ table: z.string(), live: count, backup: count.nullable() }),
        ),
      })
      .nullable()
      .describe('Rows that are there, about, and that will be; null where one side is not known.'),
    findings: z.array(finding),
  }),
});
export type RestorePlanResult = z.input<typeof restorePlanResult>;

/** `restore --undo` */
export const undoResult = z.strictObject({
  database: z.string(),
  was: z.string().describe('The name under which the database was kept.'),
  previous: z
    .string()
    .nullable()
    .describe('The name under which the undone one is kept; null where there was none.'),
});
export type UndoResult = z.input<typeof undoResult>;

/** `restore --undo --dry-run` */
export const undoPlanResult = z.strictObject({
  dryRun: z.literal(true),
  plan: z.strictObject({
    database: z.string(),
    returning: previousDatabase.describe('The database that gets its name back.'),
    previous: z.string().nullable(),
    findings: z.array(finding),
  }),
});
export type UndoPlanResult = z.input<typeof undoPlanResult>;

/** `restore --salvage` */
export const salvageResult = z.strictObject({
  path: z.string().describe('The path of the file.'),
  database: z.string().describe('The new database that holds what was rescued.'),
  tables: z.array(
    tableRows.extend({
      state: z.enum(['complete', 'cut', 'refused', 'noTable', 'inserted', 'absent']),
    }),
  ),
  largeObjects: count,
  defects: z.array(z.string()),
  refused: z.array(refusedStatement),
  skipped,
  leftOut: z.array(z.string()).describe('What reaches outside the database, each a clause.'),
  findings: z.array(finding),
});
export type SalvageResult = z.input<typeof salvageResult>;
