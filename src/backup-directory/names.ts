import { encryptedEnding, encryptions, type Encryption } from '../base/encryption.ts';
import { twoDigits } from '../base/format.ts';

declare const stampBrand: unique symbol;

/** When a backup was made, in local time, as it stands in its name: `20251129_020000`. */
export type Stamp = string & { readonly [stampBrand]: true };

/** What the name of a backup tells. */
export interface BackupName {
  readonly stamp: Stamp;
  /** Undefined: not at all. */
  readonly encryption: Encryption | undefined;
}

/** How a backup can be encrypted, or not at all. */
const ways = [undefined, ...encryptions];

/** The link to a backup that is encrypted so, or not at all. */
export const formatLatestName = (encryption: Encryption | undefined) =>
  `pratiko_backup_latest.sql.gz${endingOf(encryption)}`;

/** The link to the latest backup, which ends as that does. At most one of them is there. */
export const latestNames = ways.map(formatLatestName);

export const lockName = '.pratiko_backup.lock';
/** What `prune --accept-loss` was told. */
export const acceptedLossName = 'pratiko_backup_accepted_loss.json';
/** What `prune --keep` and `--unkeep` were told. */
export const keptName = 'pratiko_backup_kept.json';
/** How to get the data back without this program. */
export const recoveryPageName = 'RECOVERY.md';
/** What was done: runs, checks, drills. */
export const historyName = 'pratiko_backup_history.jsonl';
/** What was done before that. */
export const olderHistoryName = 'pratiko_backup_history_older.jsonl';

/** The stamp of a moment, in local time. */
export function formatStamp(moment: Date): Stamp {
  const date = `${String(moment.getFullYear()).padStart(4, '0')}${twoDigits(moment.getMonth() + 1)}${twoDigits(moment.getDate())}`;
  const time = `${twoDigits(moment.getHours())}${twoDigits(moment.getMinutes())}${twoDigits(moment.getSeconds())}`;
  return `${date}_${time}` as Stamp;
}

const stampPattern = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/;

/** The stamp in a text, or undefined where the text is not the date and time of a real second. */
export function parseStamp(text: string): Stamp | undefined {
  const fields = stampPattern.exec(text)?.slice(1).map(Number);
  if (fields === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isReal ? (text as Stamp) : undefined;
}

/** The moment of a stamp; in the hour that happens twice, the first of the two. */
export function momentOf(stamp: Stamp): Date {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (
    stampPattern.exec(stamp) ?? []
  )
    .slice(1)
    .map(Number);
  const moment = new Date(0, month - 1, day, hour, minute, second);
  moment.setFullYear(year, month - 1, day);
  return moment;
}

/** The calendar day of a stamp as a number that grows by 1 a day, the same in every time zone. */
export function dayOf(stamp: Stamp): number {
  const date = new Date(0);
  date.setUTCFullYear(
    Number(stamp.slice(0, 4)),
    Number(stamp.slice(4, 6)) - 1,
    Number(stamp.slice(6, 8)),
  );
  return Math.round(date.getTime() / 86_400_000);
}

export function formatBackupName({ stamp, encryption }: BackupName): string {
  return `pratiko_backup_${stamp}.sql.gz${endingOf(encryption)}`;
}

function endingOf(encryption: Encryption | undefined): string {
  return encryption === undefined ? '' : `.${encryption}`;
}

/** Every name that the backup of a stamp can have. */
export const backupNamesOf = (stamp: Stamp): string[] =>
  ways.map((encryption) => formatBackupName({ stamp, encryption }));

const backupName = new RegExp(`^pratiko_backup_(.{15})\\.sql\\.gz(${encryptedEnding})?$`);

/** The inverse of `formatBackupName`; undefined for any other name. */
export function parseBackupName(name: string): BackupName | undefined {
  const [, text = '', ending] = backupName.exec(name) ?? [];
  const stamp = parseStamp(text);
  const encryption = encryptions.find((each) => `.${each}` === ending);
  return stamp && { stamp, encryption };
}

export function formatManifestName(stamp: Stamp): string {
  return `pratiko_backup_${stamp}.manifest.json`;
}

/** The inverse of `formatManifestName`; undefined for any other name. */
export function parseManifestName(name: string): Stamp | undefined {
  const text = /^pratiko_backup_(.{15})\.manifest\.json$/.exec(name)?.[1];
  return text === undefined ? undefined : parseStamp(text);
}

/** How the manifest of a backup is called where copies are: encrypted as that is. */
export function formatCopiedManifestName({ stamp, encryption }: BackupName): string {
  return `${formatManifestName(stamp)}${endingOf(encryption)}`;
}

/** The roles of the server, beside a backup. */
export function formatGlobalsName({ stamp, encryption }: BackupName): string {
  return `pratiko_backup_${stamp}.globals.sql${endingOf(encryption)}`;
}

/** Every name that the roles beside the backup of a stamp can have. */
export const globalsNamesOf = (stamp: Stamp): string[] =>
  ways.map((encryption) => formatGlobalsName({ stamp, encryption }));

/** The name of a file while it is being written. */
export function formatPartialName(finalName: string): string {
  return `.${finalName}.partial`;
}

const partialName = new RegExp(
  `^\\.pratiko_backup_(.{15})\\.(?:manifest\\.json|(?:sql\\.gz|globals\\.sql)(?:${encryptedEnding})?)\\.partial$`,
);

/** The stamp in the name of a partial file of a backup, or of what lies beside it; undefined for any other name. */
export function parsePartialName(name: string): Stamp | undefined {
  const text = partialName.exec(name)?.[1];
  return text === undefined ? undefined : parseStamp(text);
}
