import { readHeader, type DumpHeader } from '../archive/header.ts';
import type { ReadAccess } from '../archive/reader.ts';
import type { Choice } from '../dump/selection/choose.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import type { RestoreChoice } from './choice.ts';
import { orDamage } from './damage.ts';
import { restoreFailure } from './failure.ts';
import { requireGood } from './load/check.ts';
import { createReplayFilter } from './replay.ts';
import type { ServerFacts } from './server-facts.ts';

/**
 * Reads what can be known of a dump before it is loaded.
 * @param chosen only what some tables need.
 * @param another what to do where the file is not good, for people.
 * @throws Failure `restoreFailed` for a file that is not good, or reaches outside its database.
 */
export async function readDumpHeader(
  file: BackupFile,
  facts: ServerFacts,
  choice: RestoreChoice,
  another: string,
  access: ReadAccess,
  chosen?: Choice,
): Promise<DumpHeader> {
  try {
    const options = { ...access, unproven: choice.unproven, what: `checking ${file.name}` };
    const head = await readHeader(file, createReplayFilter(facts, choice), options, chosen);
    requireGood(file, head.defects, another);
    return head;
  } catch (error) {
    access.signal.throwIfAborted();
    throw restoreFailure(await orDamage(error, file, another, access));
  }
}
