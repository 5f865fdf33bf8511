import { quoteIdentifier, quoteLiteral, startsWith } from '../base/sql.ts';
import { randomBytes } from 'node:crypto';
import { formatStamp } from '../backup-directory/names.ts';
import { derivedName } from '../postgres/databases.ts';
import type { OwnComment } from '../postgres/previous.ts';
import { databaseSize } from '../postgres/database-size.ts';

const nameSuffix = '_(restore|salvage|drill)_[0-9]{8}_[0-9]{6}_[0-9a-f]{4}$';

/** What tells the names apart that a run gives: the second, and four hexadecimal digits. */
export const uniqueSuffix = (now: Date) => ({
  stamp: formatStamp(now),
  nonce: randomBytes(2).toString('hex'),
});

/** `aifinance` → `aifinance_restore_20251129_140000_1a2b`. */
export function scratchName(target: string, stamp: string, nonce: string): string {
  return derivedName(target, `_restore_${stamp}_${nonce}`);
}

/** `aifinance` → `aifinance_salvage_20251129_140000_1a2b`, which stays. */
export function salvageName(target: string, stamp: string, nonce: string): string {
  return derivedName(target, `_salvage_${stamp}_${nonce}`);
}

/** `aifinance` → `aifinance_drill_20251129_140000_1a2b`, which is dropped when it was compared. */
export function drillName(target: string, stamp: string, nonce: string): string {
  return derivedName(target, `_drill_${stamp}_${nonce}`);
}

/** How the comment of a scratch database begins, until it is done; the own one follows on the next line. */
export const marker = 'pratiko-backup scratch database';

/** As SQL, to be run in it: notes the comment that it gets when it is swapped in (see `notedComment`). */
export const noteComment = (name: string, comment: string) =>
  `COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(`${marker}\n${comment}`)};`;

/** The comment that was noted. */
export const notedComment = (name: string): OwnComment => ({
  database: name,
  without: `${marker}\n`,
});

/** As SQL: the scratch databases on a server; those without mark may be somebody else's. */
export const selectScratchDatabases = `
  SELECT datname AS name, comment IS NOT NULL AS marked,
         ${databaseSize} AS bytes
    FROM pg_database AS d, shobj_description(d.oid, 'pg_database') AS comment
   WHERE encode(textsend(datname), 'escape') ~ '${nameSuffix}' AND (comment IS NULL OR ${startsWith('comment', marker)})`;
