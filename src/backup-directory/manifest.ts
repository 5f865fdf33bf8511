import { join } from 'node:path';
import { z } from 'zod';
import { databaseSettingsSchema, databaseTraitsSchema } from '../base/database-traits.ts';
import { encryptions } from '../base/encryption.ts';
import { systemErrorCode } from '../base/errors.ts';
import { formatManifestName, type BackupName } from './names.ts';
import { readRegularFileSync } from './regular-file.ts';

const count = z.number().int().nonnegative();

export const manifestSchema = z.object({
  format: z.literal(1),
  createdAt: z.iso.datetime({ offset: true }).describe('ISO 8601 with time zone.'),
  durationMs: z.number().nonnegative(),
  database: databaseTraitsSchema.extend({
    name: z.string(),
    settings: databaseSettingsSchema
      .optional()
      .describe('Absent in backups by the first version of this tool.'),
  }),
  dumpBytes: count.describe('The size of the plain SQL.'),
  fileBytes: count.describe('The size of the backup.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('The checksum of the backup, 64 hexadecimal digits.'),
  label: z.string().optional().describe('What a person has called it (`backup --label`).'),
  keep: z
    .literal(true)
    .optional()
    .describe('Retention leaves it alone, until somebody says otherwise (`backup --keep`).'),
  leftOut: z
    .object({ tables: z.array(z.string()), sequences: z.array(z.string()) })
    .optional()
    .describe(
      'What is defined in it without its contents (BACKUP_EXCLUDE_TABLE_DATA); absent where nothing is.',
    ),
  encryption: z
    .enum(encryptions)
    .optional()
    .describe('How the backup is encrypted; absent where it is not.'),
  tables: z.array(
    z.object({
      table: z.string(),
      rows: count,
      bytes: count
        .optional()
        .describe('The size of its rows in the SQL; absent in older manifests.'),
    }),
  ),
  roles: z
    .array(z.string())
    .optional()
    .describe('Roles to which it gives objects or privileges; absent in older manifests.'),
  policyRoles: z
    .array(z.string())
    .optional()
    .describe('Roles of row-security policies; absent in older manifests.'),
  extensions: z
    .array(z.string())
    .optional()
    .describe('Extensions that it creates; absent in older manifests.'),
  notUnderstood: z
    .string()
    .optional()
    .describe('What this tool did not understand of a whole dump; absent where it understood all.'),
  serverVersion: z.string(),
  pgDumpVersion: z.string(),
  toolVersion: z.string(),
});

const laterFormat = z.object({ format: z.number().int().gt(1) });

/** What is inside a backup, written when it was made and verified. */
export type Manifest = z.infer<typeof manifestSchema>;

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/**
 * The manifest of a backup; undefined where there is none (one of a file that is encrypted in another way
 * belongs to that), `newer` where it is of a later format, `unreadable` where it makes no sense. Not asynchronous: of thousands of small files, waiting for each takes
 * most of the time.
 */
export function readManifest(
  directory: string,
  { stamp, encryption }: BackupName,
): Manifest | 'unreadable' | 'newer' | undefined {
  let text: string;
  try {
    text = readRegularFileSync(join(directory, formatManifestName(stamp)));
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? undefined : 'unreadable';
  }
  const manifest = parseManifest(text);
  return typeof manifest === 'object' && manifest.encryption !== encryption ? undefined : manifest;
}

/** What the text of a manifest says; `newer` where it is of a later format, `unreadable` where it makes no sense. */
export function parseManifest(text: string): Manifest | 'unreadable' | 'newer' {
  try {
    const value: unknown = JSON.parse(text);
    const read = manifestSchema.safeParse(value);
    if (read.success) return read.data;
    return laterFormat.safeParse(value).success ? 'newer' : 'unreadable';
  } catch {
    return 'unreadable'; // verification reports it; listing and restoring go on without it
  }
}
