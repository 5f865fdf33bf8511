import { z } from 'zod';
import { exitCodes, type FailureKind } from '../base/errors.ts';

const count = z.number().int().nonnegative();
const kinds = [...Object.keys(exitCodes), 'interrupted'] as (FailureKind | 'interrupted')[];

/** What WEBHOOK_URL gets, as the text of a POST. */
export const webhookMessage = z.strictObject({
  /** The version of this shape. */
  format: z.literal(1),
  at: z.iso.datetime(),
  /** The machine that it happened on. */
  host: z.string(),
  /** `pratiko-backup 1.0.0` */
  tool: z.string(),
  /** `test`: somebody tries whether it arrives (`doctor --notify`). */
  job: z.enum(['backup', 'drill', 'copy', 'prune', 'test']),
  /** `incomplete`: the backups are safe, but a later step failed. */
  outcome: z.enum(['success', 'incomplete', 'failure']),
  /** The database with its server. */
  database: z.string(),
  /** The name of the backup; null where it is of none, as each that follows. */
  backup: z.string().nullable(),
  bytes: count.nullable(),
  tables: count.nullable(),
  rows: count.nullable(),
  durationMs: count.nullable(),
  /** How many old backups and copies retention removed. */
  removed: count.nullable(),
  /** How many copies were made. */
  copied: count.nullable(),
  /** Why a person should look at it, although it is good. */
  warning: z.string().nullable(),
  failure: z
    .strictObject({ kind: z.enum(kinds), message: z.string(), hint: z.string().nullable() })
    .nullable(),
});
export type WebhookMessage = z.input<typeof webhookMessage>;
