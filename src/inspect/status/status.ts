import { stateOf, type Backup } from '../../backup-directory/backup.ts';
import { missingAt } from '../../backup-directory/copied.ts';
import { failedDrills } from '../../backup-directory/history.ts';
import type { HistoryEvent } from '../../backup-directory/history-event.ts';
import { largerAmong } from '../../backup-directory/larger-earlier-backup.ts';
import { momentOf } from '../../backup-directory/names.ts';
import { describeLoss } from '../../backup-directory/loss.ts';
import { checksByBackup } from '../checks.ts';
import type { CopyStatus, KnownStatus } from './known.ts';
import { problemsOf, type Problem } from './problems.ts';
import { valueOf } from '../../base/known.ts';
import type { StatusFacts } from './facts.ts';

/** What a person or a monitor wants to know in one glance. */
export interface Status extends KnownStatus {
  /** Why this is not well; none where it is. */
  readonly problems: readonly Problem[];
}

/** Judges what is known. */
export function judge(facts: StatusFacts, maxAgeMs: number): Status {
  const history = valueOf(facts.history) ?? [];
  const checks = checksByBackup(history);
  const backups = (valueOf(facts.backups) ?? [])
    .filter(({ manifest }) => manifest === undefined || manifest.database.name === facts.database)
    .toReversed();
  const failed = new Set(failedDrills(history).map(({ backup }) => backup));
  const drills = history
    .filter((event) => event.event === 'drill')
    .filter(({ database = facts.database }) => database === facts.database)
    .filter(({ outcome }) => outcome !== 'interrupted');
  const isGood = (backup: Backup) => {
    const isBad = checks.get(backup.name)?.isBad === true || failed.has(backup.name);
    return stateOf(backup) === 'verified' && !isBad && backup.madeAt <= facts.now;
  };
  const lastGood = backups.find(isGood);
  const known: KnownStatus = {
    facts,
    backups,
    lastGood,
    lastGoodAt: lastGood && momentOf(lastGood.stamp),
    ageMs: lastGood && facts.now.getTime() - lastGood.madeAt.getTime(),
    maxAgeMs,
    lastRun: history
      .filter((event) => event.event === 'backup')
      .findLast(({ database }) => database === facts.database),
    lastDrill: drills.at(-1),
    lastProof: drills.findLast(({ outcome }) => outcome === 'passed'),
    copies: copiesOf(facts, history, backups),
    held: heldOf(facts, backups, lastGood),
  };
  const damaged = backups.filter(
    (backup) => stateOf(backup) === 'damaged' || checks.get(backup.name)?.isBad === true,
  );
  return { ...known, problems: problemsOf(known, damaged) };
}

function copiesOf(
  { offsite }: StatusFacts,
  history: readonly HistoryEvent[],
  backups: readonly Backup[],
): CopyStatus[] {
  return offsite.map((to) => {
    const events = history
      .filter((event) => event.event === 'copy')
      .filter((event) => event.to === to);
    const done = events.findLast(({ outcome }) => outcome === 'done');
    const last = events.at(-1);
    return {
      to,
      lastAt: done && new Date(done.at),
      missing: missingAt({ url: to, history }, backups).map(({ name }) => name),
      failure: last?.outcome === 'failed' ? last.message : undefined,
    };
  });
}

function heldOf(
  { measures, suspiciousDrop }: StatusFacts,
  backups: readonly Backup[],
  lastGood: Backup | undefined,
): KnownStatus['held'] {
  if (lastGood?.manifest === undefined) return [];
  const known = valueOf(measures) ?? new Map<string, Date>();
  return largerAmong(lastGood.manifest, backups.toReversed(), known, suspiciousDrop).map(
    ({ backup: { name }, losses }) => ({
      loss: describeLoss('the newest backup', name, losses),
      name,
    }),
  );
}
