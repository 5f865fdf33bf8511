import {
  formatAge,
  formatBytes,
  formatCount,
  formatLocalTime,
  formatNames,
  formatPlural,
} from '../../base/format.ts';
import { valueOf, type Known } from '../../base/known.ts';
import { totalRows } from '../../base/table-rows.ts';
import { describeKept, describeRescued } from '../../cli/kept-database.ts';
import { formatTable } from '../../cli/table.ts';
import { describeTrend } from '../../cli/trend.ts';
import type { Status } from '../../inspect/status/status.ts';

/** In one glance: whether all is well, why not, and what there is. */
export function describeStatus(status: Status, room: number | undefined, width?: number): string {
  const { facts, problems } = status;
  const word = problems.length === 0 ? 'HEALTHY' : 'NOT HEALTHY';
  return [
    `${word}: backups of "${facts.database}" in ${facts.directory}`,
    ...problems.flatMap(({ message, hint }) => [`  ! ${message}`, `    hint: ${hint}`]),
    formatTable(
      factsOf(status, room).map(([label, value]) => [`  ${label}`, value]),
      { width },
    ),
    ...keptOf(status),
  ].join('\n');
}

function factsOf(status: Status, room: number | undefined): [string, string][] {
  const { facts, backups, copies, held } = status;
  const trend = describeTrend(
    backups.map(({ bytes, manifest }) => ({
      bytes,
      rows: manifest && totalRows(manifest.tables),
    })),
  );
  const { fromEnvironment } = facts;
  const without =
    fromEnvironment.length === 0 ? '' : `, which does not have ${formatNames(fromEnvironment, 3)}`;
  return [
    ['last good', describeLastGood(status)],
    ['last run', describeLastRun(status)],
    [
      'next run',
      told(facts.nextRun, (next) =>
        next === undefined
          ? 'cron makes none (`pratiko-backup schedule --install`)'
          : `${formatLocalTime(next)}, by cron${without}`,
      ),
    ],
    ['last drill', describeLastDrill(status)],
    ['backups', told(facts.backups, () => formatPlural(backups.length, 'backup'))],
    ...copies.map(({ to, lastAt, missing }): [string, string] => [
      'copies',
      `${to}: ${missing.length === 0 ? 'all there' : `${missing.length} missing`}${lastAt === undefined ? '' : `, last ${formatLocalTime(lastAt)}`}`,
    ]),
    ['held', held.length === 0 ? 'nothing' : formatPlural(held.length, 'loss', 'losses')],
    [
      'room',
      told(facts.freeBytes, (free) =>
        room === undefined
          ? `${formatBytes(free)} free`
          : `${formatBytes(free)} free, for ${formatCount(room)} more`,
      ),
    ],
    [
      'leftovers',
      told(facts.leftovers, (names) =>
        names.length === 0 ? 'none' : `${names.join(', ')} (the next run removes them)`,
      ),
    ],
    ...(trend === undefined ? [] : ([['trend', trend]] satisfies [string, string][])),
  ];
}

const told = <Value>(known: Known<Value>, tell: (value: Value) => string): string =>
  'value' in known ? tell(known.value) : `unknown: ${known.unknown}`;

function describeLastGood({ facts, lastGood, lastGoodAt, ageMs, backups }: Status): string {
  if (lastGood === undefined || lastGoodAt === undefined || ageMs === undefined) {
    if ('unknown' in facts.backups) return 'unknown';
    return backups.length === 0 ? 'none' : 'none that is known to be good';
  }
  const rows = totalRows(lastGood.manifest?.tables ?? []);
  return `${formatLocalTime(lastGoodAt)}, ${formatAge(ageMs)} ago, ${formatBytes(lastGood.bytes)}, ${formatPlural(rows, 'row')}`;
}

function describeLastRun({ facts, lastRun }: Status): string {
  const running = valueOf(facts.running);
  const now =
    running === undefined
      ? ''
      : `; ${running.command} is at work${running.since === undefined ? '' : ` since ${formatLocalTime(running.since)}`}`;
  if ('unknown' in facts.history) return `unknown: ${facts.history.unknown}${now}`;
  if (lastRun === undefined) return `none recorded${now}`;
  return `${formatLocalTime(new Date(lastRun.at))}, ${lastRun.outcome}${now}`;
}

const outcomes = {
  passed: 'passed',
  failed: 'FAILED',
  notProven: 'could not be tried',
  interrupted: 'interrupted',
} as const;

function describeLastDrill({ facts, lastDrill }: Status): string {
  if (lastDrill === undefined) return 'never: `pratiko-backup verify --restore` proves a backup';
  const age = formatAge(facts.now.getTime() - Date.parse(lastDrill.at));
  return `${age} ago: ${outcomes[lastDrill.outcome]}, ${lastDrill.backup}`;
}

function keptOf({ facts }: Status): string[] {
  if ('unknown' in facts.kept) {
    return [`  what restores have kept on the server is unknown: ${facts.kept.unknown}`];
  }
  const { previous, rescued } = facts.kept.value;
  return [
    ...previous.map((database) => `  ${describeKept(database)}`),
    ...rescued.map((database) => `  ${describeRescued(database)}`),
  ];
}
