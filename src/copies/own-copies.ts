import { listBackups } from '../backup-directory/catalog.ts';
import { copiesAt, type RecordedCopy } from '../backup-directory/copied.ts';
import { failedDrills, readHistory } from '../backup-directory/history.ts';
import { readKeptMarks } from '../backup-directory/kept.ts';
import { dayOf } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';
import type { Candidate } from '../retention/candidate.ts';
import { isLaterThan } from '../retention/candidates.ts';
import type { Destination } from './destination.ts';
import { filesElsewhere } from './files-elsewhere.ts';

/** A copy that this machine has made, and that is still there. */
export type OwnCopy = Candidate & RecordedCopy;

/** What is known of each, oldest first; of those that are here, too, what they hold. */
export async function ownCopies(context: Context, destination: Destination): Promise<OwnCopy[]> {
  const { config, now } = context;
  const history = await readHistory(config.backupDir);
  const marks = await readKeptMarks(config.backupDir);
  const files = await filesElsewhere(context, destination);
  const there = new Map(files.map(({ name, bytes }) => [name, bytes]));
  const failed = new Set(failedDrills(history).map(({ backup }) => backup));
  const here = new Map(
    (await listBackups(config.backupDir)).map(({ name, manifest }) => [name, manifest]),
  );
  const copies = [...copiesAt(destination.url, history).values()].filter(({ name }) =>
    there.has(name),
  );
  return copies.map((copy) => ({
    ...copy,
    day: dayOf(copy.stamp),
    knownGood: there.get(copy.name) === copy.bytes && !failed.has(copy.name),
    isBad: failed.has(copy.name),
    isKept: marks.get(copy.stamp) ?? copy.keep,
    isLatest: false,
    isFuture: isLaterThan(now())(copy),
    tables: here.get(copy.name)?.tables,
    dumpBytes: here.get(copy.name)?.dumpBytes,
    leftOut: here.get(copy.name)?.leftOut,
  }));
}
