import { z } from 'zod';
import type { Backup } from './backup.ts';
import { keptName } from './names.ts';
import { readNote, writeNote } from './note-file.ts';

const schema = z.object({
  format: z.literal(1),
  /** By the stamp in their names: whether it stays. */
  kept: z.record(z.string(), z.boolean()),
});

/** What a person has said of backups since they were made, by stamp: whether retention leaves them alone. */
export type KeptMarks = ReadonlyMap<string, boolean>;

const hint =
  'nothing is removed until it does: correct it; or remove it, and name the backups to keep again (`pratiko-backup prune --keep NAME`)';

/**
 * What `prune --keep` and `--unkeep` were told in a backup directory.
 * @throws Failure `storage` where the file is there and cannot be read.
 */
export async function readKeptMarks(directory: string): Promise<KeptMarks> {
  const { kept = {} } = (await readNote(directory, keptName, schema, hint)) ?? {};
  return new Map(Object.entries(kept));
}

/**
 * Writes them down, durably. Only under the lock.
 * @throws Failure `storage`.
 */
export async function writeKeptMarks(directory: string, marks: KeptMarks): Promise<void> {
  await writeNote(directory, keptName, { format: 1, kept: Object.fromEntries(marks) });
}

/** Whether a backup stays however old: since it was made (`backup --keep`), or as somebody has said later. */
export const isKept = (
  { stamp, manifest }: Pick<Backup, 'stamp' | 'manifest'>,
  marks: KeptMarks,
): boolean => marks.get(stamp) ?? manifest?.keep ?? false;
