import { z } from 'zod';
import { count, tableRows } from './results.ts';

const tableChange = z.strictObject({
  table: z.string(),
  before: count.nullable().describe('Rows before; null where there was no such table.'),
  now: count.nullable().describe('Rows now; null where there is no such table.'),
});

/** `list FILE` */
export const detailsResult = z.strictObject({
  name: z.string(),
  path: z.string(),
  bytes: count,
  dumpBytes: count.describe('The size of the plain SQL.'),
  database: z
    .string()
    .nullable()
    .describe('null where there is no manifest, as each that follows it.'),
  createdAt: z.string().nullable(),
  durationMs: z.number().nonnegative().nullable(),
  serverVersion: z.string().nullable(),
  pgDumpVersion: z.string().nullable(),
  toolVersion: z.string().nullable(),
  label: z.string().nullable().describe('What a person has called it.'),
  leftOut: z
    .strictObject({ tables: z.array(z.string()), sequences: z.array(z.string()) })
    .nullable()
    .describe('Defined in it without contents, on purpose.'),
  tables: z.array(tableRows),
  extensions: z.array(z.string()),
  roles: z.array(z.string()).describe('Roles that it needs.'),
  defects: z.array(z.string()).describe('Why it is not good, where it was read.'),
  before: z
    .strictObject({ name: z.string(), rows: count, dumpBytes: count })
    .nullable()
    .describe('The good backup of the same database before it.'),
  changes: z.array(tableChange).describe('Tables whose number of rows has changed since that.'),
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
  differing: z
    .array(z.string())
    .nullable()
    .describe('Tables of both that do not hold the same rows; null where that was not compared.'),
});
export type DiffResult = z.input<typeof diffResult>;
