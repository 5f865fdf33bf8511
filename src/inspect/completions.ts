import { formatBytes, formatCount, formatLocalTime, formatPlural } from '../base/format.ts';
import { totalRows } from '../base/table-rows.ts';
import type { Backup } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { momentOf } from '../backup-directory/names.ts';
import type { Context } from '../context.ts';

export interface Completions {
  /** What a backup can be called, newest first: its time, then its name. */
  readonly backups: readonly { readonly word: string; readonly about: string }[];
  /** Tables of the newest backup that has a manifest; those of `public` without their schema. */
  readonly tables: readonly { readonly word: string; readonly about: string }[];
}

/**
 * What can stand on a command line that is being typed.
 * @throws Failure `storage`.
 */
export async function completions({ config }: Context): Promise<Completions> {
  const backups = (await listBackups(config.backupDir)).reverse();
  const tables = backups.find(({ manifest }) => manifest !== undefined)?.manifest?.tables ?? [];
  return {
    backups: [
      ...backups.map((backup) => ({ word: backup.stamp, about: describe(backup) })),
      ...backups.map((backup) => ({ word: backup.name, about: describe(backup) })),
    ],
    tables: tables
      .map(({ table, rows }) => ({
        word: table.replace(/^public\./, ''),
        about: formatPlural(rows, 'row'),
      }))
      .filter(({ word }) => isPlain(word)),
  };
}

function describe({ stamp, bytes, manifest }: Backup): string {
  const rows = manifest === undefined ? '' : `, ${formatCount(totalRows(manifest.tables))} rows`;
  return `${formatLocalTime(momentOf(stamp))}, ${formatBytes(bytes)}${rows}`;
}

/** What a shell takes as it stands. */
const isPlain = (word: string) => /^[\w.]+$/.test(word);
