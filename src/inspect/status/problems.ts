import { formatAge, formatBytes, formatPlural } from '../../base/format.ts';
import type { Backup } from '../../backup-directory/backup.ts';
import { valueOf } from '../../base/known.ts';
import { roomFor, type KnownStatus } from './known.ts';

/** Why things are not well, and what to do. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** @param damaged backups that are known not to be good. */
export function problemsOf(known: KnownStatus, damaged: readonly Backup[]): Problem[] {
  return [
    ...directoryProblems(known),
    ...ageProblems(known),
    ...runProblems(known),
    ...damageProblems(damaged),
    ...drillProblems(known),
    ...lossProblems(known),
    ...copyProblems(known),
    ...latestProblems(known),
    ...roomProblems(known),
  ];
}

function* directoryProblems({ facts }: KnownStatus): Generator<Problem> {
  if ('unknown' in facts.backups) {
    yield {
      message: facts.backups.unknown,
      hint: 'mount the disk, or let this user read the directory',
    };
  }
  if ('unknown' in facts.history) {
    yield {
      message: `what was done is not known: ${facts.history.unknown}`,
      hint: 'let this user read the file',
    };
  }
}

function* ageProblems({
  facts,
  backups,
  lastGood,
  ageMs,
  maxAgeMs,
}: KnownStatus): Generator<Problem> {
  if ('unknown' in facts.backups) return;
  const future = backups.filter(({ madeAt }) => madeAt > facts.now);
  if (future.length > 0) {
    yield {
      message: `${future[0]?.name ?? ''} is dated in the future`,
      hint: 'is the clock right (`date`)? what is dated in the future is neither counted nor removed',
    };
  }
  if (lastGood === undefined || ageMs === undefined) {
    yield {
      message:
        backups.length === 0
          ? `there is no backup of "${facts.database}"`
          : `no backup of "${facts.database}" is known to be good`,
      hint: 'make one now: `pratiko-backup backup`; `pratiko-backup verify --all` reads those that are there',
    };
  } else if (ageMs > maxAgeMs) {
    yield {
      message: `the last good backup is ${formatAge(ageMs)} old, more than the ${formatHours(maxAgeMs)} allowed`,
      hint: 'make one now: `pratiko-backup backup`; `pratiko-backup doctor` tells why none was made',
    };
  }
}

const formatHours = (ms: number) => formatPlural(Math.round(ms / 360_000) / 10, 'hour');

function* runProblems({ facts, lastRun }: KnownStatus): Generator<Problem> {
  if (lastRun === undefined || lastRun.outcome === 'done') return;
  const age = formatAge(facts.now.getTime() - Date.parse(lastRun.at));
  if (lastRun.outcome === 'started') {
    if ('unknown' in facts.running || facts.running.value !== undefined) return;
    yield {
      message: `the last run was killed, ${age} ago: it never ended`,
      hint: 'make a backup now: `pratiko-backup backup`; was the machine short of memory (`dmesg`), or turned off?',
    };
    return;
  }
  const what = lastRun.outcome === 'failed' ? 'failed' : 'was not completed';
  yield {
    message: `the last run ${what}, ${age} ago: ${lastRun.message ?? 'nothing tells why'}`,
    hint: lastRun.hint ?? 'run it again: `pratiko-backup backup`',
  };
}

function* damageProblems(damaged: readonly Backup[]): Generator<Problem> {
  const [first] = damaged;
  if (first === undefined) return;
  const more = damaged.length === 1 ? '' : ` and ${formatPlural(damaged.length - 1, 'other')}`;
  yield {
    message: `${first.name}${more} ${damaged.length === 1 ? 'is' : 'are'} damaged`,
    hint: '`pratiko-backup verify --all` tells what is wrong; check the disk (`dmesg`, `smartctl`), and remove what is of no use',
  };
}

function* drillProblems({ facts, lastDrill }: KnownStatus): Generator<Problem> {
  if (lastDrill === undefined || lastDrill.outcome === 'passed') return;
  const age = formatAge(facts.now.getTime() - Date.parse(lastDrill.at));
  yield lastDrill.outcome === 'failed'
    ? {
        message: `the last drill failed, ${age} ago: ${lastDrill.backup}: ${lastDrill.message ?? ''}`,
        hint: 'make a new backup and prove it: `pratiko-backup backup && pratiko-backup verify --restore`',
      }
    : {
        message: `the last drill could not be tried, ${age} ago: ${lastDrill.message ?? ''}`,
        hint: 'correct that, then: `pratiko-backup verify --restore`',
      };
}

function* lossProblems({ held }: KnownStatus): Generator<Problem> {
  for (const { loss, name } of held) {
    yield {
      message: `data may be lost: ${loss}`,
      hint: `look at that one beside (\`pratiko-backup restore ${name} --to NEW_DATABASE\`); it is held until you say that nothing is missing: \`pratiko-backup prune --accept-loss\``,
    };
  }
}

function* copyProblems({ facts, copies }: KnownStatus): Generator<Problem> {
  // While a run is at work, its copy is on its way.
  if (valueOf(facts.running) !== undefined) return;
  for (const { to, missing, failure } of copies) {
    if (missing.length === 0) continue;
    const why = failure === undefined ? '' : `: ${failure}`;
    yield {
      message: `${formatPlural(missing.length, 'backup')} not copied to ${to}${why}`,
      hint: '`pratiko-backup copy` sends what is missing; `pratiko-backup doctor` tries the place',
    };
  }
}

function* latestProblems({ facts, backups, lastGood }: KnownStatus): Generator<Problem> {
  const latest = valueOf(facts.latest);
  if (latest === undefined || backups.length === 0) return;
  const isThere = (valueOf(facts.backups) ?? []).find(({ name }) => name === latest);
  if (latest === 'nowhere' || isThere === undefined) {
    yield {
      message: 'the link `latest` leads to no backup',
      hint: 'the next backup mends it; `restore` takes the newest good one meanwhile',
    };
  } else if (lastGood !== undefined && isThere.madeAt < lastGood.madeAt) {
    yield {
      message: `the link \`latest\` leads to an older backup than the last good one, ${lastGood.name}`,
      hint: 'the next backup mends it; give the name of the one that you want',
    };
  }
}

function* roomProblems(known: KnownStatus): Generator<Problem> {
  const free = valueOf(known.facts.freeBytes);
  if (roomFor(known) !== 0 || free === undefined) return;
  yield {
    message: `the disk of ${known.facts.directory} has ${formatBytes(free)} free: the next backup may not fit`,
    hint: 'free some space there, or set BACKUP_DIR to a larger disk',
  };
}
