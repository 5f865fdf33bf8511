import { z } from 'zod';
import { encryptions } from '../base/encryption.ts';
import { exitCodes } from '../base/errors.ts';
import { manifestSchema } from '../backup-directory/manifest.ts';

// What `--json` prints, a schema for each command: the contract with programs that read it. Commands use
// the types alone, so that no start of the tool pays for zod.

export const count = z.number().int().nonnegative();
export const moment = z.iso.datetime();

export const tableRows = z.strictObject({
  table: z.string(),
  rows: count,
  bytes: count.optional().describe('The size of its rows in the SQL, where that is known.'),
});

/** An error of any command; where a result was printed before it, nothing follows that. */
export const errorResult = z.strictObject({
  error: z.strictObject({
    code: count.describe('The exit code.'),
    kind: z.enum([...(Object.keys(exitCodes) as (keyof typeof exitCodes)[]), 'interrupted']),
    message: z.string(),
    hint: z.string().nullable().describe('What to do.'),
  }),
});
export type ErrorResult = z.input<typeof errorResult>;

export const backupResult = manifestSchema.strict().extend({
  backup: z.string().describe('The name of the file.'),
  path: z.string(),
  warning: z.string().nullable().describe('Why a person should look at it, although it is good.'),
  removed: z.array(z.string()).describe('Names of the old backups that retention removed.'),
});
export type BackupResult = z.input<typeof backupResult>;

export const copyResult = z.strictObject({
  copied: z
    .array(z.strictObject({ backup: z.string(), to: z.string(), bytes: count }))
    .describe('In the order in which they were copied.'),
  failed: z.array(
    z.strictObject({
      to: z.string(),
      backup: z.string().nullable().describe('null: it failed before one was begun.'),
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
  target: z.string().describe('The name that it had.'),
  bytes: count.nullable().describe('null: nobody may ask.'),
  invalid: z.boolean().describe('A DROP DATABASE was interrupted: nobody can connect.'),
});
export type PreviousDatabaseResult = z.input<typeof previousDatabase>;

export const listResult = z.strictObject({
  directory: z.string(),
  backups: z
    .array(
      z.strictObject({
        name: z.string(),
        path: z.string(),
        /** When it was made, from its name. */
        moment,
        ageMs: z.number().describe('Negative for one that is dated in the future.'),
        bytes: count,
        database: z
          .string()
          .optional()
          .describe('Absent where no manifest tells, as the next three.'),
        tables: count.optional(),
        rows: count.optional(),
        durationMs: z.number().nonnegative().optional(),
        state: z
          .enum(['verified', 'unverified', 'damaged'])
          .describe('As far as can be told without reading the file.'),
        verifiedAt: moment
          .optional()
          .describe('When it was last read and found good; absent where it never was.'),
        drill: z
          .strictObject({ at: moment, outcome: z.enum(['passed', 'failed', 'notProven']) })
          .optional()
          .describe('When it was last restored to be compared, and what came of it.'),
        suspicion: z.string().nullable().describe('What looks wrong beside the one before.'),
        isLatest: z.boolean(),
        label: z.string().nullable().describe('What a person has called it; null: nothing.'),
        isKept: z.boolean().describe('It stays, however old.'),
        leftOut: z.array(z.string()).describe('Tables whose rows were left out on purpose.'),
        byOldScript: z.boolean(),
        encryption: z
          .enum(encryptions)
          .nullable()
          .describe('How it is encrypted; null: not at all.'),
        copies: z
          .array(z.string())
          .describe('Where copies of it were confirmed to be, as in OFFSITE_URL.'),
      }),
    )
    .describe('Newest first.'),
  totalBytes: count,
  notCounted: z.array(z.string()).describe("Files whose names are almost a backup's."),
  previousDatabases: z
    .array(previousDatabase)
    .nullable()
    .describe('null where the server cannot be asked.'),
  rescuedDatabases: z
    .array(z.strictObject({ name: z.string(), bytes: count.nullable() }))
    .nullable(),
  offsite: z
    .array(
      z.strictObject({
        url: z.string(),
        backups: z
          .array(
            z.strictObject({
              name: z.string(),
              bytes: count,
              state: z.enum(['verified', 'unverified', 'damaged']),
              database: z.string().nullable(),
              rows: count.nullable(),
              suspicion: z.string().nullable().describe('What looks wrong beside the one before.'),
            }),
          )
          .nullable()
          .describe('null where it could not be asked.'),
        problem: z.string().nullable(),
      }),
    )
    .optional()
    .describe('What each place of OFFSITE_URL has, newest first (`--offsite`).'),
});
export type ListResult = z.input<typeof listResult>;

export const verifyResult = z.strictObject({
  good: z.boolean(),
  backups: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      good: z.boolean(),
      defects: z.array(z.string()).describe('Why it is not good.'),
      hint: z
        .string()
        .optional()
        .describe('What to do with a file that is something else than a backup.'),
      tables: z.array(tableRows),
      fileBytes: count,
      messages: count.describe('Messages of pg_dump that the old scripts mixed into the dump.'),
      leftOut: z.array(z.string()).describe('Tables whose rows were left out on purpose.'),
      unchecked: z
        .string()
        .nullable()
        .describe(
          'Why its contents were not checked: `good` is said of its bytes alone then; null where they were.',
        ),
      hasManifest: z.boolean().describe('False where there was no manifest to compare with.'),
      byNewerVersion: z.boolean(),
    }),
  ),
});
export type VerifyResult = z.input<typeof verifyResult>;

/** `verify --restore` */
export const drillResult = z.strictObject({
  name: z.string(),
  path: z.string(),
  good: z.boolean().describe('False: what was restored is not what the backup holds.'),
  place: z.enum(['server', 'sandbox']),
  tables: z.array(tableRows).describe('Tables with the rows that were restored.'),
  differences: z.array(z.string()).describe('What is not the same, each a clause.'),
  definitionsBy: z
    .enum(['statement', 'object'])
    .describe('Definitions were compared statement by statement, or as a list of objects.'),
  notCompared: z.array(z.string()).describe('What could not be compared, each a clause.'),
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
  offsite: z
    .array(z.strictObject({ url: z.string(), decisions }))
    .describe('Of the copies that were made from here, at each place of OFFSITE_URL.'),
  marked: z
    .array(z.strictObject({ name: z.string(), keep: z.boolean() }))
    .describe('What stays now, however old (`--keep`), or no longer (`--unkeep`).'),
  accepted: z
    .array(z.strictObject({ database: z.string(), newest: z.string(), lost: z.array(z.string()) }))
    .describe('What was given up with `--accept-loss`.'),
});
export type PruneResult = z.input<typeof pruneResult>;
