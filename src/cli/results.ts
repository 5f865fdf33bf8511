import { z } from 'zod';
import { manifestSchema } from '../backup-directory/manifest.ts';

// What `--json` prints, a schema for each command: the contract with programs that read it. Commands use
// the types alone, so that no start of the tool pays for zod.

const count = z.number().int().nonnegative();
const moment = z.iso.datetime();

const tableRows = z.strictObject({ table: z.string(), rows: count });

/** An error of any command; where a result was printed before it, nothing follows that. */
export const errorResult = z.strictObject({
  error: z.strictObject({ message: z.string(), hint: z.string().optional(), exitCode: count }),
});

export const backupResult = manifestSchema.strict().extend({
  /** The name of the file. */
  backup: z.string(),
  path: z.string(),
  /** Why a person should look at it, although it is good. */
  warning: z.string().nullable(),
  /** Names of the old backups that retention removed. */
  removed: z.array(z.string()),
});
export type BackupResult = z.input<typeof backupResult>;

/** A database that a restore has replaced and kept. */
const previousDatabase = z.strictObject({
  name: z.string(),
  /** The name that it had. */
  target: z.string(),
  /** null: nobody may ask. */
  bytes: count.nullable(),
  /** A DROP DATABASE was interrupted: nobody can connect. */
  invalid: z.boolean(),
});
export type PreviousDatabaseResult = z.input<typeof previousDatabase>;

export const listResult = z.strictObject({
  directory: z.string(),
  backups: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      /** From its name. */
      moment,
      /** Negative for one that is dated in the future. */
      ageMs: z.number(),
      bytes: count,
      /** Absent where no manifest tells. */
      tables: count.optional(),
      rows: count.optional(),
      /** As far as can be told without reading the file. */
      state: z.enum(['verified', 'unverified', 'damaged']),
      isLatest: z.boolean(),
      byOldScript: z.boolean(),
    }),
  ),
  totalBytes: count,
  /** Files whose names are almost a backup's. */
  notCounted: z.array(z.string()),
  /** null where the server cannot be asked. */
  previousDatabases: z.array(previousDatabase).nullable(),
  rescuedDatabases: z
    .array(z.strictObject({ name: z.string(), bytes: count.nullable() }))
    .nullable(),
});
export type ListResult = z.input<typeof listResult>;

export const verifyResult = z.strictObject({
  good: z.boolean(),
  backups: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      good: z.boolean(),
      /** Why it is not good. */
      defects: z.array(z.string()),
      /** What to do with a file that is something else than a backup. */
      hint: z.string().optional(),
      tables: z.array(tableRows),
      fileBytes: count,
      /** Of pg_dump, mixed into the dump by the old scripts. */
      messages: count,
      /** False where there was no manifest to compare with. */
      hasManifest: z.boolean(),
      byNewerVersion: z.boolean(),
    }),
  ),
});
export type VerifyResult = z.input<typeof verifyResult>;

export const pruneResult = z.strictObject({
  dryRun: z.boolean(),
  /** Oldest backup first. */
  decisions: z.array(
    z.strictObject({
      name: z.string(),
      bytes: count,
      action: z.enum(['keep', 'remove']),
      reason: z.string(),
    }),
  ),
  /** With `--accept-loss`. */
  accepted: z.array(
    z.strictObject({ database: z.string(), newest: z.string(), lost: z.array(z.string()) }),
  ),
});
export type PruneResult = z.input<typeof pruneResult>;

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
  /** Of the dump, from 1. */
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
  /** With `--skip-refused`: what is not in the new database. */
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
  /** Of the file. */
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

export type Result =
  | BackupResult
  | ListResult
  | VerifyResult
  | PruneResult
  | RestoreResult
  | RestorePlanResult
  | UndoResult
  | UndoPlanResult
  | SalvageResult;
