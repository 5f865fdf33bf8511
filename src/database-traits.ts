import { z } from 'zod';

export const databaseTraitsSchema = z.object({
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  provider: z.enum(['libc', 'icu', 'builtin']),
  /** Of the ICU or builtin provider. */
  locale: z.string().nullable(),
});

/** What a database is beside its contents: a plain dump of a single database does not tell. */
export type DatabaseTraits = z.infer<typeof databaseTraitsSchema>;
