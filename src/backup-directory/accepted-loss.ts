import { z } from 'zod';
import { acceptedLossName } from './names.ts';
import { readNote, writeNote } from './note-file.ts';

const schema = z.object({
  format: z.literal(1),
  /** When the backup was made that is the measure since, by database. */
  measures: z.record(z.string(), z.iso.datetime({ offset: true })),
});

/** Moments, by database: backups made before no longer count as holding more than the newest. */
export type Measures = ReadonlyMap<string, Date>;

const hint =
  'remove it: losses that were accepted are then told and held again, and nothing is lost';

/**
 * What a person has said of losses in a backup directory (`prune --accept-loss`).
 * @throws Failure `storage` where the file is there and cannot be read.
 */
export async function readMeasures(directory: string): Promise<Measures> {
  const { measures = {} } = (await readNote(directory, acceptedLossName, schema, hint)) ?? {};
  return new Map(Object.entries(measures).map(([name, moment]) => [name, new Date(moment)]));
}

/**
 * Writes down what a person has said, durably. Only under the lock.
 * @throws Failure `storage`.
 */
export async function writeMeasures(directory: string, measures: Measures): Promise<void> {
  await writeNote(directory, acceptedLossName, {
    format: 1,
    measures: Object.fromEntries(measures),
  });
}
