import leven from 'leven';
import { Failure } from '../../base/errors.ts';
import { spoken } from './outline.ts';

/** How a backup is called, and no table. */
const isTime = /^\d{8}(?:_\d{6})?$/;

/** So many near names are told. */
const told = 3;

/**
 * The tables that people mean: `knowledge_items`, `public.knowledge_items`, `*_items`; in capitals or not.
 * @param tables as the dump writes their names.
 * @throws Failure `usage` for a pattern that matches none, with near names.
 */
export function matchTables(patterns: readonly string[], tables: readonly string[]): Set<string> {
  return new Set(patterns.flatMap((pattern) => matchOne(pattern, tables)));
}

function matchOne(pattern: string, tables: readonly string[]): string[] {
  for (const flags of ['su', 'isu']) {
    const found = tables.filter((table) => matches(pattern, table, flags));
    if (found.length > 0) return found;
  }
  const near = tables
    .map((table) => ({ name: spoken(table), distance: distanceTo(pattern, table) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, told)
    .map(({ name }) => name);
  throw new Failure('usage', `no table of the backup is called ${pattern}`, {
    hint: isTime.test(pattern)
      ? 'a backup is named before --table: `pratiko-backup restore 20251129_020000 --table NAME --to NEW_DATABASE`'
      : near.length === 0
        ? 'it holds no tables'
        : `the nearest: ${near.join(', ')}; \`pratiko-backup list FILE\` shows all`,
  });
}

function matches(pattern: string, table: string, flags: string): boolean {
  const escaped = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const glob = escaped.replaceAll(String.raw`\*`, '.*').replaceAll(String.raw`\?`, '.');
  const form = new RegExp(`^(?:${glob})$`, flags);
  return [spoken(table), bare(table), table].some((name) => form.test(name));
}

/** Without its schema. */
const bare = (table: string) => spoken(table.replace(/^(?:"(?:[^"]|"")*"|[^".]+)\./, ''));

const distanceTo = (pattern: string, table: string) =>
  Math.min(
    ...[spoken(table), bare(table)].map((name) => leven(pattern.toLowerCase(), name.toLowerCase())),
  );
