import { quoteIdentifier } from '../base/sql.ts';
import { formatBytes } from '../base/format.ts';
import { blocker, note, warning, type Finding } from './finding.ts';
import { compareRows } from './comparison.ts';
import type { Situation } from './situation.ts';
import { reserveBytes } from './disk-space.ts';

/** What the load writes beside the data: sorted pieces of indexes, and the log of all changes. */
const overhead = 1.3;

/**
 * What a restore needs on the server's disk, in bytes; the present database tells how much indexes and
 * dead rows add, to as many rows as it has.
 */
function neededBytes({ file, facts, target, head, live }: Situation): number {
  const { manifest } = file;
  const dumpBytes = manifest?.dumpBytes ?? 0;
  const own = manifest?.database.name === target ? (facts.target?.bytes ?? 0) : 0;
  const rows = compareRows(live, head.tables);
  const share = rows && rows.backup < rows.live ? rows.backup / rows.live : 1;
  return Math.max(dumpBytes, own * share);
}

/** Whether there is clearly room. */
export function* roomFindings(situation: Situation): Generator<Finding> {
  const { facts, freeBytes, force } = situation;
  const needed = neededBytes(situation);
  // It keeps so much of the log of changes, whatever is loaded.
  const log = Math.min(facts.maxWalBytes, needed);
  const withLoad = needed * overhead + log;
  const beside = facts.target === undefined ? '' : ' beside the present one';
  const needs = `the new database needs about ${formatBytes(withLoad)}${beside}`;
  if (freeBytes === undefined) {
    const why =
      facts.room.dataDirectory === null
        ? `; to have it looked at: GRANT pg_read_all_settings TO ${quoteIdentifier(facts.user)}`
        : '';
    yield note(
      `the room on the server's disk cannot be known from here${needed === 0 ? '' : `; ${needs}`}`,
      `look there first (\`df -h\`): a full disk stops every database of the server${why}`,
    );
    return;
  }
  // Where the load would give up in the end, it need not begin.
  if (freeBytes > withLoad + reserveBytes) return;
  const [spare] = [...facts.leftovers, ...facts.previous];
  const message = `the server's disk has ${formatBytes(freeBytes)} free; ${needs} while it is loaded`;
  const hint = `free some space there${spare === undefined ? '' : `, for instance: DROP DATABASE ${quoteIdentifier(spare.name)}`}; a full disk would stop the live database, too`;
  yield force
    ? warning(message, hint)
    : blocker(
        message,
        `${hint}; \`restore --force\` begins all the same, and gives up before the disk is full`,
      );
}
