import { basename, dirname, join } from 'node:path';
import { formatPlural, printed, shellWord } from '../base/format.ts';
import { writeDurably } from '../backup-directory/durable-file.ts';
import type { Refusals } from './load/refusals.ts';

/**
 * Writes what was left out of a restored database to a file beside its backup, as SQL to run there
 * once the cause is gone: `pratiko_backup_20251129_140000.refused.sql`. One of an earlier restore is
 * replaced.
 * @returns its path.
 */
export async function writeRefused(
  backup: string,
  database: string,
  refusals: Refusals,
): Promise<string> {
  const directory = dirname(backup);
  const name = `${basename(backup).replace(/(?:\.sql)?(?:\.gz)?(?:\.(?:age|gpg))?$/, '')}.refused.sql`;
  await writeDurably(directory, name, textOf(basename(backup), database, refusals));
  return join(directory, name);
}

function textOf(backup: string, database: string, { statements, tables }: Refusals): Buffer {
  const text = (line: string) => Buffer.from(`${line.replaceAll(/\s+/g, ' ')}\n`);
  return Buffer.concat([
    text(
      `-- What the server refused of ${backup}, in its order: it is not in database "${database}".`,
    ),
    text('-- When the cause is gone, run this file there with psql.'),
    ...tables.flatMap(({ table, rows, inserts }) => [
      text(`-- Of table ${table}, ${formatPlural(rows, 'row')} are in the backup only.`),
      ...(inserts > 0 || rows === 0
        ? []
        : [text(`-- After this file: ${rowsOf(table, backup)} | psql -d ${shellWord(database)}`)]),
    ]),
    ...statements.flatMap(({ refused: { line, reason }, settings, sql }) => [
      ...settings.flatMap((setting) => [withoutSpaceBefore(setting), text('')]),
      text(`-- line ${line} of the dump: ${reason}`),
      withoutSpaceBefore(Buffer.concat(sql)),
      text(''),
    ]),
  ]);
}

/** A command that prints a table's COPY block as the backup has it. */
function rowsOf(table: string, backup: string): string {
  const pattern = `COPY ${table} (`.replaceAll(/[\\/.*[\]^$]/g, '\\$&');
  return `${printed(backup)} | sed -n ${shellWord(`/^${pattern}/,/^\\\\\\.$/p`)}`;
}

const withoutSpaceBefore = (bytes: Buffer) =>
  bytes.subarray(
    Math.max(
      bytes.findIndex((byte) => byte > 0x20),
      0,
    ),
  );
