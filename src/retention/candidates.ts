import { undecided, type RetentionPolicy } from './policy.ts';
import { heldBackups } from './held.ts';
import type { Candidate } from './candidate.ts';
import { readMeasures, type Measures } from '../backup-directory/accepted-loss.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { isKept, readKeptMarks, type KeptMarks } from '../backup-directory/kept.ts';
import { missingAt } from '../backup-directory/copied.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { failedDrills, readHistory } from '../backup-directory/history.ts';
import { readLatest } from '../backup-directory/latest.ts';
import { dayOf, momentOf } from '../backup-directory/names.ts';

export interface StockOptions {
  /** Reads a backup to know whether it is as it was. */
  readonly isIntact: (backup: Backup) => Promise<boolean>;
  readonly policy: RetentionPolicy;
  readonly now: Date;
  /** The name of a backup that this run has just verified, which need not be read again. */
  readonly verified?: string;
  /** Where copies of each must be before it goes (OFFSITE_URL). */
  readonly offsite: readonly string[];
  /** What a person has said of losses; without it, what is written down. */
  readonly measures?: Measures | undefined;
  /** What a person has said of backups to keep; without it, what is written down. */
  readonly marks?: KeptMarks | undefined;
}

/** When clocks are set back, names run ahead of them for as long. */
const clockChangeMs = 2 * 3_600_000;

export type Stock = Candidate & Backup;

/**
 * Lists the backups for retention, oldest first. Of each database the newest ones are read to know
 * that they are good, as many as the policy must be sure of, and those that hold what was lost since;
 * the rest stays unknown.
 */
export async function takeStock(directory: string, options: StockOptions): Promise<Stock[]> {
  const { policy, verified, now } = options;
  const backups = await listBackups(directory);
  const latest = await readLatest(directory);
  const measures = options.measures ?? (await readMeasures(directory));
  const marks = options.marks ?? (await readKeptMarks(directory));
  const history = await readHistory(directory);
  const drilled = new Set(failedDrills(history).map(({ backup }) => backup));
  const uncopied = new Set(
    options.offsite.flatMap((url) => missingAt({ url, history }, backups)).map(({ name }) => name),
  );
  const judged = new Map<string, boolean>();
  const isGood = async (backup: Backup): Promise<boolean> => {
    const { name } = backup;
    const known =
      judged.get(name) ??
      (!drilled.has(name) && (name === verified || (await options.isIntact(backup))));
    judged.set(name, known);
    return known;
  };
  const isFuture = isLaterThan(now);
  await readNewest(
    backups.filter((backup) => !isFuture(backup)),
    policy.keepMin,
    isGood,
  );
  const stock = () =>
    backups.map((backup): Stock => {
      const { manifest, stamp, name } = backup;
      const isBad =
        drilled.has(name) || (judged.get(name) === false && backup.condition !== 'unverified');
      const isAccepted = backup.madeAt < (measures.get(databaseOf(backup) ?? '') ?? new Date(0));
      const { tables, dumpBytes, leftOut } = isAccepted || isBad ? {} : (manifest ?? {});
      return {
        ...backup,
        database: databaseOf(backup),
        day: dayOf(stamp),
        knownGood: judged.get(name) === true,
        isBad,
        isKept: isKept(backup, marks),
        isLatest: name === latest,
        isUncopied: uncopied.has(name),
        isFuture: isFuture(backup),
        tables,
        dumpBytes,
        leftOut,
      };
    });
  const isUnread = ({ name, condition }: Stock) => condition === 'verified' && !judged.has(name);
  for (;;) {
    const known = stock();
    const unread = [
      ...heldOf(known, policy).filter(isUnread),
      ...undecided(known, policy, isUnread),
    ];
    if (unread.length === 0) return known;
    for (const backup of unread) await isGood(backup);
  }
}

/** Whether a backup is dated later than now, by more than clocks are set back. */
export const isLaterThan =
  (now: Date) =>
  ({ madeAt, stamp }: Pick<Backup, 'madeAt' | 'stamp'>) =>
    madeAt > now || momentOf(stamp).getTime() - now.getTime() > clockChangeMs;

/** Reads of each database the newest backups, until so many are good. */
async function readNewest(
  backups: readonly Backup[],
  wanted: number,
  isGood: (backup: Backup) => Promise<boolean>,
): Promise<void> {
  const goodOf = new Map<string, number>();
  for (const backup of backups.toReversed()) {
    const database = databaseOf(backup);
    if (database === undefined) continue;
    const count = goodOf.get(database) ?? 0;
    if (count < wanted && (await isGood(backup))) goodOf.set(database, count + 1);
  }
}

/** The backups that are held, of each database by itself. */
function heldOf(stock: readonly Stock[], { suspiciousDrop }: RetentionPolicy): Stock[] {
  const databases = new Set(stock.map(({ database }) => database));
  return [...databases].flatMap((name) => [
    ...heldBackups(
      stock.filter(({ database }) => database === name),
      suspiciousDrop,
    ).keys(),
  ]);
}

const databaseOf = ({ manifest }: Backup) => manifest?.database.name;
