import { z } from 'zod';
import { encryptions } from '../base/encryption.ts';
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

export const copyResult = z.strictObject({
  /** In the order in which they were copied. */
  copied: z.array(z.strictObject({ backup: z.string(), to: z.string(), bytes: count })),
  failed: z.array(
    z.strictObject({
      to: z.string(),
      /** null: it failed before one was begun. */
      backup: z.string().nullable(),
      message: z.string(),
      hint: z.string(),
    }),
  ),
});
export type CopyResult = z.input<typeof copyResult>;

/** The private key itself is in the file only. */
export const keygenResult = z.strictObject({ file: z.string(), recipient: z.string() });
export type KeygenResult = z.input<typeof keygenResult>;

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
      /** What a person has called it; null: nothing. */
      label: z.string().nullable(),
      /** It stays, however old. */
      isKept: z.boolean(),
      /** Tables whose rows were left out on purpose. */
      leftOut: z.array(z.string()),
      byOldScript: z.boolean(),
      /** How it is encrypted; null: not at all. */
      encryption: z.enum(encryptions).nullable(),
      /** Where copies of it were confirmed to be, as in OFFSITE_URL. */
      copies: z.array(z.string()),
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
  /** What each place of OFFSITE_URL has, newest first (`--offsite`). */
  offsite: z
    .array(
      z.strictObject({
        url: z.string(),
        /** null where it could not be asked. */
        backups: z.array(z.strictObject({ name: z.string(), bytes: count })).nullable(),
        problem: z.string().nullable(),
      }),
    )
    .optional(),
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
      /** Messages of pg_dump that the old scripts mixed into the dump. */
      messages: count,
      /** Tables whose rows were left out on purpose. */
      leftOut: z.array(z.string()),
      /** Why its contents were not checked: `good` is said of its bytes alone then; null where they were. */
      unchecked: z.string().nullable(),
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

/** Oldest backup first. */
const decisions = z.array(
  z.strictObject({
    name: z.string(),
    bytes: count,
    action: z.enum(['keep', 'remove']),
    reason: z.string(),
  }),
);

export const pruneResult = z.strictObject({
  dryRun: z.boolean(),
  decisions,
  /** Of the copies that were made from here, at each place of OFFSITE_URL. */
  offsite: z.array(z.strictObject({ url: z.string(), decisions })),
  /** What stays now, however old (`--keep`), or no longer (`--unkeep`). */
  marked: z.array(z.strictObject({ name: z.string(), keep: z.boolean() })),
  /** What was given up with `--accept-loss`. */
  accepted: z.array(
    z.strictObject({ database: z.string(), newest: z.string(), lost: z.array(z.string()) }),
  ),
});
export type PruneResult = z.input<typeof pruneResult>;
