import { z } from 'zod';
import { count, moment, previousDatabase } from './results.ts';

export const statusResult = z.strictObject({
  healthy: z.boolean(),
  problems: z
    .array(z.strictObject({ message: z.string(), hint: z.string() }))
    .describe('Why it is not.'),
  database: z.string(),
  directory: z.string(),
  backups: count.describe('How many there are of the database.'),
  lastGood: z
    .strictObject({ name: z.string(), madeAt: moment, ageMs: z.number(), bytes: count })
    .nullable(),
  maxAgeMs: count,
  lastRun: z
    .strictObject({
      at: moment,
      outcome: z
        .enum(['started', 'done', 'incomplete', 'failed'])
        .describe('`started`: it is at work, or was killed.'),
      message: z.string().nullable(),
    })
    .nullable(),
  nextRun: moment.nullable().describe('As cron has it; null where it makes none, or is not known.'),
  lastDrill: z
    .strictObject({
      at: moment,
      outcome: z.enum(['passed', 'failed', 'notProven', 'interrupted']),
      backup: z.string(),
    })
    .nullable(),
  copies: z
    .array(
      z.strictObject({
        to: z.string(),
        lastAt: moment.nullable().describe('When a copy was last confirmed.'),
        missing: z
          .array(z.string())
          .describe('Names of good backups that are not known to be there, newest first.'),
        failure: z.string().nullable(),
      }),
    )
    .describe('A place of OFFSITE_URL each, as far as the history tells.'),
  held: z.array(z.string()).describe('What was lost since older backups, which are held.'),
  freeBytes: count.nullable(),
  roomFor: count.nullable().describe("How many more backups of the last one's size fit."),
  leftovers: z.array(z.string()),
  previousDatabases: z
    .array(previousDatabase)
    .nullable()
    .describe('null where the server cannot be asked.'),
  rescuedDatabases: z
    .array(z.strictObject({ name: z.string(), bytes: count.nullable() }))
    .nullable(),
  unknown: z
    .array(z.strictObject({ what: z.string(), why: z.string() }))
    .describe('What could not be asked, and why.'),
});
export type StatusResult = z.input<typeof statusResult>;

export const doctorResult = z.strictObject({
  ok: z.boolean().describe('No check has failed.'),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['ok', 'warning', 'failed']),
      message: z.string(),
      hint: z.string().optional().describe('Where it is not ok.'),
    }),
  ),
});
export type DoctorResult = z.input<typeof doctorResult>;

export const scheduleResult = z.strictObject({
  installed: z.boolean().describe('Whether the lines are in the crontab now.'),
  changed: z.boolean(),
  lines: z.array(z.string()).describe('Lines of a crontab.'),
  units: z
    .array(z.strictObject({ name: z.string(), text: z.string() }))
    .optional()
    .describe('`--systemd`'),
});
export type ScheduleResult = z.input<typeof scheduleResult>;
