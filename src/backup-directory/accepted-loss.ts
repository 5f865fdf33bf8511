import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, systemErrorCode } from '../base/errors.ts';
import { publish, syncDirectory, writePartial } from './durable-file.ts';
import { acceptedLossName } from './names.ts';
import { storageFailure } from './storage-failure.ts';

const schema = z.object({
  format: z.literal(1),
  /** When the backup was made that is the measure since, by database. */
  measures: z.record(z.string(), z.iso.datetime({ offset: true })),
});

/** Moments, by database: backups made before no longer count as holding more than the newest. */
export type Measures = ReadonlyMap<string, Date>;

/**
 * What a person has said of losses in a backup directory (`prune --accept-loss`).
 * @throws Failure `storage` where the file is there and cannot be read.
 */
export async function readMeasures(directory: string): Promise<Measures> {
  const path = join(directory, acceptedLossName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return new Map();
    throw storageFailure(`read ${path}`, error);
  }
  try {
    const { measures } = schema.parse(JSON.parse(text));
    return new Map(Object.entries(measures).map(([name, moment]) => [name, new Date(moment)]));
  } catch (cause) {
    throw new Failure('storage', `${path} makes no sense`, {
      hint: 'remove it: losses that were accepted are then told and held again, and nothing is lost',
      cause,
    });
  }
}

/**
 * Writes down what a person has said, durably. Only under the lock.
 * @throws Failure `storage`.
 */
export async function writeMeasures(directory: string, measures: Measures): Promise<void> {
  const text = `${JSON.stringify({ format: 1, measures: Object.fromEntries(measures) }, null, 2)}\n`;
  try {
    await writePartial(directory, acceptedLossName, text);
    await publish(directory, acceptedLossName);
    await syncDirectory(directory);
  } catch (error) {
    throw storageFailure(`write ${acceptedLossName} to ${directory}`, error);
  }
}
