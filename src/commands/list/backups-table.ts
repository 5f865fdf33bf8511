import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatLocalTime,
  formatPlural,
} from '../../base/format.ts';
import { formatTable, tableWidth } from '../../cli/table.ts';
import type { ListedBackup } from '../../inspect/listed-backup.ts';

const states: Record<ListedBackup['state'], string> = {
  verified: 'verified',
  unverified: 'unverified',
  damaged: 'DAMAGED',
};

interface Column {
  readonly title: string;
  readonly isRight?: true;
  readonly of: (backup: ListedBackup) => string;
}

const time: Column = { title: 'TIME', of: ({ moment }) => formatLocalTime(moment) };
const age: Column = {
  title: 'AGE',
  of: ({ ageMs }) => (ageMs < 0 ? 'in the future' : formatAge(ageMs)),
};
const size: Column = { title: 'SIZE', isRight: true, of: ({ bytes }) => formatBytes(bytes) };
const rowCount: Column = { title: 'ROWS', isRight: true, of: ({ rows }) => orUnknown(rows) };

const orUnknown = (count: number | undefined) => (count === undefined ? '?' : formatCount(count));

const database: Column = { title: 'DATABASE', of: (backup) => backup.database ?? '?' };

/** What a list must tell of backups beyond what is said of each. */
interface Shape {
  /** How many places there are for copies. */
  readonly places: number;
  /** They are not all of one database. */
  readonly isMixed: boolean;
}

/** Everything, where there is room: on a wide terminal, and in a file. */
const wide = ({ places, isMixed }: Shape): Column[] => [
  time,
  age,
  ...(isMixed ? [database] : []),
  size,
  { title: 'TABLES', isRight: true, of: ({ tables }) => orUnknown(tables) },
  rowCount,
  {
    title: 'TOOK',
    isRight: true,
    of: ({ durationMs }) => (durationMs === undefined ? '?' : formatDuration(durationMs)),
  },
  { title: 'STATE', of: describeState },
  { title: 'RESTORED', of: (backup) => describeDrill(backup) ?? '-' },
  ...(places === 0
    ? []
    : [{ title: 'COPIES', of: (backup: ListedBackup) => `${backup.copies.length} of ${places}` }]),
  {
    title: 'NAME',
    of: (backup) =>
      [backup.name, ...(backup.isLatest ? ['<- latest'] : []), ...notesOn(backup)].join('  '),
  },
];

/** What must be known of each, on a screen of 80 columns; backups are called by their times there. */
const medium = ({ places, isMixed }: Shape): Column[] => [
  time,
  isMixed ? database : age,
  size,
  rowCount,
  { title: 'STATE', of: (backup) => inWords(backup, places) },
];

/** The last column of a screen should have so much room. */
const leastWords = 24;

/**
 * What is known of each backup, in as many columns as there is room for.
 * @param places how many there are for copies.
 * @param width columns of the terminal; undefined where there is none.
 */
export function describeBackups(
  backups: readonly ListedBackup[],
  places: number,
  width: number | undefined,
): string {
  const shape = {
    places,
    isMixed: new Set(backups.flatMap((backup) => backup.database ?? [])).size > 1,
  };
  const asTable = (columns: readonly Column[]) => [
    columns.map(({ title }) => title),
    ...backups.map((backup) => columns.map(({ of }) => of(backup))),
  ];
  const right = (columns: readonly Column[]) =>
    columns.flatMap(({ isRight }, index) => (isRight ? [index] : []));
  const all = asTable(wide(shape));
  if (width === undefined || tableWidth(all) <= width) {
    return formatTable(all, { right: right(wide(shape)) });
  }
  // Who copies what stands there gets one that nothing speaks against.
  const fine = backups.find(({ state, suspicion }) => state === 'verified' && !suspicion);
  const example = fine ?? backups[0];
  const byTime = `call one by its time: '${example === undefined ? '' : time.of(example)}'`;
  const some = medium(shape);
  if (width - tableWidth(asTable(some.slice(0, -1))) - 2 >= leastWords) {
    return [formatTable(asTable(some), { right: right(some), width }), byTime].join('\n');
  }
  const lines = backups.flatMap((backup) => [
    [`${time.of(backup)}, ${rowCount.of(backup)} rows`],
    ...(shape.isMixed ? [['', database.of(backup)]] : []),
    ['', `${size.of(backup)}, ${inWords(backup, places)}`],
  ]);
  return [...lines.map((line) => formatTable([line], { width })), byTime].join('\n');
}

/** All that a wide table has in columns of their own. */
function inWords(backup: ListedBackup, places: number): string {
  return [
    describeState(backup),
    ...(describeDrill(backup)?.split(' ', 1) ?? []),
    ...(backup.isLatest ? ['latest'] : []),
    ...(places === 0 ? [] : [`copies: ${backup.copies.length} of ${places}`]),
    ...notesOn(backup),
  ].join(', ');
}

/** What stands behind its name. */
const notesOn = ({ isKept, label, leftOut }: ListedBackup): string[] => [
  ...(isKept ? ['kept'] : []),
  ...(label === undefined ? [] : [`"${label}"`]),
  ...(leftOut.length === 0 ? [] : [`without the rows of ${formatPlural(leftOut.length, 'table')}`]),
];

function describeState({
  state,
  byOldScript,
  suspicion,
  moment,
  verifiedAt,
}: ListedBackup): string {
  const isLater = verifiedAt !== undefined && verifiedAt.getTime() - moment.getTime() > 86_400_000;
  return [
    ...(byOldScript ? ['old script'] : []),
    isLater ? `${states[state]} ${dayOf(verifiedAt)}` : states[state],
    ...(suspicion === undefined ? [] : ['LOOK']),
  ].join(', ');
}

const outcomes = { passed: 'proven', failed: 'FAILED', notProven: 'not proven' } as const;

const describeDrill = ({ drill }: ListedBackup) =>
  drill && `${outcomes[drill.outcome]} ${dayOf(drill.at)}`;

const dayOf = (moment: Date) => formatLocalTime(moment).slice(0, 10);
