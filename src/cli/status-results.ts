import { z } from 'zod';
import { count, moment, previousDatabase } from './results.ts';

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
      outcome: z.enum(['passed', 'failed', 'notProven', 'interrupted']),
      backup: z.string(),
    })
    .nullable(),
  /** A place of OFFSITE_URL each, as far as the history tells. */
  copies: z.array(
    z.strictObject({
      to: z.string(),
      /** When a copy was last confirmed. */
      lastAt: moment.nullable(),
      /** Names of good backups that are not known to be there, newest first. */
      missing: z.array(z.string()),
      failure: z.string().nullable(),
    }),
  ),
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
