import { quoteIdentifier } from '../base/sql.ts';
import { formatBytes } from '../base/format.ts';

interface KeptDatabase {
  readonly name: string;
  /** What it was before it was replaced. */
  readonly target: string;
  /** null: nobody may ask. */
  readonly bytes: number | null;
}

/** One line about a database that a restore has kept. */
export function describeKept({ name, target, bytes }: KeptDatabase): string {
  return `kept by an earlier restore of "${target}": "${name}" (${describeBytes(bytes)}); to remove it: DROP DATABASE ${quoteIdentifier(name)};`;
}

/** A size, where it may be asked for. */
export const describeBytes = (bytes: number | null) =>
  bytes === null ? 'size unknown' : formatBytes(bytes);
