import { quoteIdentifier } from '../base/sql.ts';
import type { PreviousDatabaseResult } from './results.ts';
import { formatBytes } from '../base/format.ts';

interface KeptDatabase {
  readonly name: string;
  /** What it was before it was replaced. */
  readonly target: string;
  /** null: nobody may ask. */
  readonly bytes: number | null;
}

/** As a result: without what only a restore needs to know of it. */
export const keptResult = ({
  name,
  target,
  bytes,
  invalid,
}: PreviousDatabaseResult): PreviousDatabaseResult => ({ name, target, bytes, invalid });

/**
 * One line about a database that a restore has kept.
 * @param where host and port of its server, where that is not plain.
 */
export function describeKept({ name, target, bytes }: KeptDatabase, where?: string): string {
  return `kept by an earlier restore of "${target}"${on(where)}: "${name}" (${describeBytes(bytes)}); ${toRemove(name)}`;
}

/** One line about a database that holds what a salvage has rescued. */
export function describeRescued(
  { name, bytes }: Pick<KeptDatabase, 'name' | 'bytes'>,
  where?: string,
): string {
  return `rescued from a damaged backup (--salvage)${on(where)}: "${name}" (${describeBytes(bytes)}); ${toRemove(name)}`;
}

const on = (where: string | undefined) => (where === undefined ? '' : ` on ${where}`);

const toRemove = (name: string) => `to remove it: DROP DATABASE ${quoteIdentifier(name)};`;

/** A size, where it may be asked for. */
export const describeBytes = (bytes: number | null) =>
  bytes === null ? 'size unknown' : formatBytes(bytes);
