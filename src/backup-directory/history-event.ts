import { z } from 'zod';

const at = z.iso.datetime();

const backupEvent = z.object({
  at,
  event: z.literal('backup'),
  /** `started` without a later one of another kind: it was killed, or is at work. */
  outcome: z.enum(['started', 'done', 'incomplete', 'failed']),
  /** The database that it is of. */
  database: z.string(),
  /** The name of its file, where there is one. */
  backup: z.string().optional(),
  /** What failed, and what to do. */
  message: z.string().optional(),
  hint: z.string().optional(),
});

const verifyEvent = z.object({
  at,
  event: z.literal('verify'),
  outcome: z.enum(['good', 'bad']),
  backup: z.string(),
  /** Why it is not good. */
  message: z.string().optional(),
});

const drillEvent = z.object({
  at,
  event: z.literal('drill'),
  /** `notProven`: it could not be tried; `interrupted`: somebody did not wait for it. */
  outcome: z.enum(['passed', 'failed', 'notProven', 'interrupted']),
  backup: z.string(),
  /** The database that it is of; absent where nothing tells. */
  database: z.string().optional(),
  place: z.enum(['server', 'sandbox']),
  durationMs: z.number().nonnegative(),
  message: z.string().optional(),
});

/** Where, as in OFFSITE_URL. */
const copied = { at, event: z.literal('copy'), to: z.string() };

const copyEvent = z.discriminatedUnion('outcome', [
  /** It was confirmed that it lies there as it is here. */
  z.object({
    ...copied,
    outcome: z.literal('done'),
    backup: z.string(),
    bytes: z.number(),
    sha256: z.string(),
    /** The database that it is of, and when it was made. */
    database: z.string(),
    madeAt: at,
    /** Retention leaves it alone since it was made (`backup --keep`). */
    keep: z.literal(true).optional(),
  }),
  /** Retention has removed it there; or it was made elsewhere, and this directory has it from there. */
  z.object({ ...copied, outcome: z.enum(['removed', 'fetched']), backup: z.string() }),
  z.object({
    ...copied,
    outcome: z.literal('failed'),
    /** Absent where it failed before one was begun. */
    backup: z.string().optional(),
    message: z.string(),
    hint: z.string(),
  }),
]);

/** A line of the history. */
export const eventSchema = z.union([backupEvent, verifyEvent, drillEvent, copyEvent]);

/** Something that was done with a backup, and what came of it. */
export type HistoryEvent = z.infer<typeof eventSchema>;
export type BackupEvent = z.infer<typeof backupEvent>;
export type VerifyEvent = z.infer<typeof verifyEvent>;
export type DrillEvent = z.infer<typeof drillEvent>;
export type CopyEvent = z.infer<typeof copyEvent>;
