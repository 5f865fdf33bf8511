import { z } from 'zod';

export const databaseTraitsSchema = z.object({
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  provider: z.enum(['libc', 'icu', 'builtin']),
  /** The locale of the ICU or builtin provider. */
  locale: z.string().nullable(),
  /** More rules for the ICU provider (16 and later); absent in older manifests. */
  rules: z.string().nullable().optional(),
});

/** What a database is beside its contents: a plain dump of a single database does not tell. */
export type DatabaseTraits = z.infer<typeof databaseTraitsSchema>;

export const databaseSettingsSchema = z.object({
  tablespace: z.string(),
  /** -1: none. */
  connectionLimit: z.number().int(),
  comment: z.string().nullable(),
  /** Null: those that every new database has. */
  privileges: z
    .array(
      z.object({
        /** Null: PUBLIC. */
        grantee: z.string().nullable(),
        privilege: z.enum(['CREATE', 'CONNECT', 'TEMPORARY']),
        grantable: z.boolean(),
      }),
    )
    .nullable(),
  /** `ALTER DATABASE … SET`, and with a role `ALTER ROLE … IN DATABASE … SET`. */
  parameters: z.array(
    z.object({
      role: z.string().nullable(),
      name: z.string(),
      /** As `pg_db_role_setting` holds it: lists with their own quoting. */
      value: z.string(),
    }),
  ),
});

/** What has been set for a database as a whole, which is in no dump of its contents either. */
export type DatabaseSettings = z.infer<typeof databaseSettingsSchema>;
