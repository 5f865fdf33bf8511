import { z } from 'zod';
import { exitCodes, type FailureKind } from '../base/errors.ts';

const count = z.number().int().nonnegative();
const kinds = [...Object.keys(exitCodes), 'interrupted'] as (FailureKind | 'interrupted')[];

/** What WEBHOOK_URL gets, as the text of a POST. */
export const webhookMessage = z.strictObject({
  format: z.literal(1).describe('The version of this shape.'),
  at: z.iso.datetime(),
  host: z.string().describe('The machine that it happened on.'),
  tool: z.string().describe('`pratiko-backup 1.0.0`'),
  job: z
    .enum(['backup', 'drill', 'copy', 'prune', 'test'])
    .describe('`test`: somebody tries whether it arrives (`doctor --notify`).'),
  outcome: z
    .enum(['success', 'incomplete', 'failure'])
    .describe('`incomplete`: the backups are safe, but a later step failed.'),
  database: z.string().describe('The database with its server.'),
  backup: z
    .string()
    .nullable()
    .describe('The name of the backup; null where it is of none, as each that follows.'),
  bytes: count.nullable(),
  tables: count.nullable(),
  rows: count.nullable(),
  durationMs: count.nullable(),
  removed: count.nullable().describe('How many old backups and copies retention removed.'),
  copied: count.nullable().describe('How many copies were made.'),
  warning: z.string().nullable().describe('Why a person should look at it, although it is good.'),
  failure: z
    .strictObject({ kind: z.enum(kinds), message: z.string(), hint: z.string().nullable() })
    .nullable(),
});
export type WebhookMessage = z.input<typeof webhookMessage>;
