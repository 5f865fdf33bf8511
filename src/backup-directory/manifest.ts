import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { databaseSettingsSchema, databaseTraitsSchema } from '../base/database-traits.ts';
import { systemErrorCode } from '../base/errors.ts';
import { formatManifestName, type Stamp } from './names.ts';

const count = z.number().int().nonnegative();

const schema = z.object({
  format: z.literal(1),
  /** ISO 8601 with time zone. */
  createdAt: z.iso.datetime({ offset: true }),
  durationMs: z.number().nonnegative(),
  database: databaseTraitsSchema.extend({
    name: z.string(),
    /** Absent in backups by the first version of this tool. */
    settings: databaseSettingsSchema.optional(),
  }),
  /** The size of the plain SQL. */
  dumpBytes: count,
  /** The size of the backup. */
  fileBytes: count,
  /** Of the backup, 64 hexadecimal digits. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  tables: z.array(z.object({ table: z.string(), rows: count })),
  /** To which it gives objects or privileges; absent in older ones. */
  roles: z.array(z.string()).optional(),
  /** Those of row-security policies; absent in older ones. */
  policyRoles: z.array(z.string()).optional(),
  /** What this tool did not understand of a whole dump; absent where it understood all. */
  notUnderstood: z.string().optional(),
  serverVersion: z.string(),
  pgDumpVersion: z.string(),
  toolVersion: z.string(),
});

/** What is inside a backup, written when it was made and verified. */
export type Manifest = z.infer<typeof schema>;

/** What a backup's manifest tells, where there is one that can be read. */
export function manifestOf({
  manifest,
}: {
  readonly manifest: Manifest | 'unreadable' | undefined;
}): Manifest | undefined {
  return typeof manifest === 'object' ? manifest : undefined;
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The manifest of a backup; undefined where there is none, `unreadable` where it makes no sense. */
export async function readManifest(
  directory: string,
  stamp: Stamp,
): Promise<Manifest | 'unreadable' | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, formatManifestName(stamp)), 'utf8');
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? undefined : 'unreadable';
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return 'unreadable'; // verification reports it; listing and restoring go on without it
  }
}
