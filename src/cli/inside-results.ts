import { z } from 'zod';
import { count, tableRows } from './results.ts';

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
  /** What a person has called it. */
  label: z.string().nullable(),
  /** Defined in it without contents, on purpose. */
  leftOut: z
    .strictObject({ tables: z.array(z.string()), sequences: z.array(z.string()) })
    .nullable(),
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
