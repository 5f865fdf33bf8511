import { z } from 'zod';
import { manifestSchema } from '../backup-directory/manifest.ts';

// What `--json` prints, a schema for each command: the contract with programs that read it. Commands use
// the types alone, so that no start of the tool pays for zod.

export const count = z.number().int().nonnegative();
export const moment = z.iso.datetime();

export const tableRows = z.strictObject({
  table: z.string(),
  rows: count,
  /** The size of its rows in the SQL, where that is known. */
  bytes: count.optional(),
});

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
export const previousDatabase = z.strictObject({
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
  /** Newest first. */
  backups: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      /** When it was made, from its name. */
      moment,
      /** Negative for one that is dated in the future. */
      ageMs: z.number(),
      bytes: count,
      /** Absent where no manifest tells, as the next three. */
      database: z.string().optional(),
      tables: count.optional(),
      rows: count.optional(),
      durationMs: z.number().nonnegative().optional(),
      /** As far as can be told without reading the file. */
      state: z.enum(['verified', 'unverified', 'damaged']),
      /** When it was last read and found good; absent where it never was. */
      verifiedAt: moment.optional(),
      /** When it was last restored to be compared, and what came of it. */
      drill: z
        .strictObject({ at: moment, outcome: z.enum(['passed', 'failed', 'notProven']) })
        .optional(),
      /** What looks wrong beside the one before. */
      suspicion: z.string().nullable(),
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

const tableChange = z.strictObject({
  table: z.string(),
  /** Rows before; null where there was no such table. */
  before: count.nullable(),
  /** Rows now; null where there is no such table. */
  now: count.nullable(),
});

/** `list FILE` */
export const detailsResult = z.strictObject({
  name: z.string(),
  path: z.string(),
  bytes: count,
  /** The size of the plain SQL. */
  dumpBytes: count,
  /** null where there is no manifest, as each that follows it. */
  database: z.string().nullable(),
  createdAt: z.string().nullable(),
  durationMs: z.number().nonnegative().nullable(),
  serverVersion: z.string().nullable(),
  pgDumpVersion: z.string().nullable(),
  toolVersion: z.string().nullable(),
  tables: z.array(tableRows),
  extensions: z.array(z.string()),
  /** Roles that it needs. */
  roles: z.array(z.string()),
  /** Why it is not good, where it was read. */
  defects: z.array(z.string()),
  /** The good backup of the same database before it. */
  before: z.strictObject({ name: z.string(), rows: count, dumpBytes: count }).nullable(),
  /** Tables whose number of rows has changed since that. */
  changes: z.array(tableChange),
});
export type DetailsResult = z.input<typeof detailsResult>;

const diffSide = z.strictObject({
  name: z.string(),
  path: z.string(),
  rows: count,
  dumpBytes: count,
});

export const diffResult = z.strictObject({
  before: diffSide,
  now: diffSide,
  tables: z.array(tableChange),
  /** Tables of both that do not hold the same rows; null where that was not compared. */
  differing: z.array(z.string()).nullable(),
});
export type DiffResult = z.input<typeof diffResult>;

export const statusResult = z.strictObject({
  healthy: z.boolean(),
  /** Why it is not. */
  problems: z.array(z.strictObject({ message: z.string(), hint: z.string() })),
  database: z.string(),
  directory: z.string(),
  /** How many there are of the database. */
  backups: count,
  lastGood: z
    .strictObject({ name: z.string(), madeAt: moment, ageMs: z.number(), bytes: count })
    .nullable(),
  maxAgeMs: count,
  lastRun: z
    .strictObject({
      at: moment,
      /** `started`: it is at work, or was killed. */
      outcome: z.enum(['started', 'done', 'incomplete', 'failed']),
      message: z.string().nullable(),
    })
    .nullable(),
  /** As cron has it; null where it makes none, or is not known. */
  nextRun: moment.nullable(),
  lastDrill: z
    .strictObject({
      at: moment,
      outcome: z.enum(['passed', 'failed', 'notProven']),
      backup: z.string(),
    })
    .nullable(),
  /** What was lost since older backups, which are held. */
  held: z.array(z.string()),
  freeBytes: count.nullable(),
  /** How many more backups of the last one's size fit. */
  roomFor: count.nullable(),
  leftovers: z.array(z.string()),
  /** null where the server cannot be asked. */
  previousDatabases: z.array(previousDatabase).nullable(),
  rescuedDatabases: z
    .array(z.strictObject({ name: z.string(), bytes: count.nullable() }))
    .nullable(),
  /** What could not be asked, and why. */
  unknown: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});
export type StatusResult = z.input<typeof statusResult>;

export const doctorResult = z.strictObject({
  /** No check has failed. */
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['ok', 'warning', 'failed']),
      message: z.string(),
      /** Where it is not ok. */
      hint: z.string().optional(),
    }),
  ),
});
export type DoctorResult = z.input<typeof doctorResult>;

export const scheduleResult = z.strictObject({
  /** Whether the lines are in the crontab now. */
  installed: z.boolean(),
  changed: z.boolean(),
  /** Lines of a crontab. */
  lines: z.array(z.string()),
  /** `--systemd` */
  units: z.array(z.strictObject({ name: z.string(), text: z.string() })).optional(),
});
export type ScheduleResult = z.input<typeof scheduleResult>;

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
      /** Messages of pg_dump that the old scripts mixed into the dump. */
      messages: count,
      /** False where there was no manifest to compare with. */
      hasManifest: z.boolean(),
      byNewerVersion: z.boolean(),
    }),
  ),
});
export type VerifyResult = z.input<typeof verifyResult>;

/** `verify --restore` */
export const drillResult = z.strictObject({
  name: z.string(),
  path: z.string(),
  /** False: what was restored is not what the backup holds. */
  good: z.boolean(),
  place: z.enum(['server', 'sandbox']),
  /** Tables with the rows that were restored. */
  tables: z.array(tableRows),
  /** What is not the same, each a clause. */
  differences: z.array(z.string()),
  /** Definitions were compared statement by statement, or as a list of objects. */
  definitionsBy: z.enum(['statement', 'object']),
  /** What could not be compared, each a clause. */
  notCompared: z.array(z.string()),
  durationMs: count,
});
export type DrillResult = z.input<typeof drillResult>;

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
  /** What was given up with `--accept-loss`. */
  accepted: z.array(
    z.strictObject({ database: z.string(), newest: z.string(), lost: z.array(z.string()) }),
  ),
});
export type PruneResult = z.input<typeof pruneResult>;
