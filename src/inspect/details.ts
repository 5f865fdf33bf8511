import { checkArchive } from '../archive/reader.ts';
import { identifyMaker } from '../archive/maker.ts';
import { rowsByTable, totalRows, type TableRows } from '../base/table-rows.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { listBackups } from '../backup-directory/catalog.ts';
import { earlierThan } from '../backup-directory/larger-earlier-backup.ts';
import { locateBackup } from '../backup-directory/locate.ts';
import { readAccess, type Context } from '../context.ts';
import { compareTables, type TableChange } from './changes.ts';

/** What is inside a backup. */
export interface Contents {
  readonly file: BackupFile;
  readonly dumpBytes: number;
  /** With the size of their rows. */
  readonly tables: readonly Required<TableRows>[];
  readonly extensions: readonly string[];
  /** Those that it needs. */
  readonly roles: readonly string[];
  /** The server that it is of, `15.18`; undefined where nothing tells. */
  readonly serverVersion: string | undefined;
  /** Why it is not good, each a clause, where it was read. */
  readonly defects: readonly string[];
}

export interface Details extends Contents {
  /** The good backup of the same database before it; undefined where there is none. */
  readonly before:
    { readonly name: string; readonly rows: number; readonly dumpBytes: number } | undefined;
  /** Its tables and those of the one before, by name. */
  readonly changes: readonly TableChange[];
}

/**
 * Tells what is inside a backup, and what has changed since the one before. A file whose manifest does not
 * tell it is read.
 * @param file a path, name or timestamp.
 * @throws Failure `noSuchBackup`, `storage`.
 */
export async function detailsOf(context: Context, file: string): Promise<Details> {
  const contents = await contentsOf(context, await locate(context, file));
  const { manifest } = contents.file;
  const backups = await listBackups(context.config.backupDir);
  const [before] = manifest === undefined ? [] : earlierThan(manifest, backups, new Map());
  const then = before?.manifest;
  return {
    ...contents,
    before: then && {
      name: before.name,
      rows: totalRows(then.tables),
      dumpBytes: then.dumpBytes,
    },
    changes: compareTables(then?.tables ?? [], contents.tables),
  };
}

/** Finds what a person means, and says which one was taken where it is not the one that was asked for. */
export async function locate(
  { config, cwd, log }: Context,
  file: string | undefined,
): Promise<BackupFile> {
  const found = await locateBackup(config.backupDir, file, cwd);
  if (found.note !== undefined) log.warn(found.note);
  return found.file;
}

/** From its manifest, or where that does not tell all, from the file. */
export async function contentsOf(context: Context, file: BackupFile): Promise<Contents> {
  const { manifest } = file;
  const known = manifest?.tables.flatMap(({ table, rows, bytes }) =>
    bytes === undefined ? [] : [{ table, rows, bytes }],
  );
  const { extensions } = manifest ?? {};
  if (manifest !== undefined && known?.length === manifest.tables.length && extensions) {
    const { dumpBytes, serverVersion, roles = [] } = manifest;
    return { file, dumpBytes, tables: known, extensions, roles, serverVersion, defects: [] };
  }
  const { contents, defects } = await checkArchive(file, readAccess(context));
  return {
    file,
    dumpBytes: contents.bytes,
    tables: merged(contents.tables),
    extensions: contents.extensions,
    roles: contents.roles,
    serverVersion: manifest?.serverVersion ?? (await identifyMaker(file, readAccess(context))),
    defects,
  };
}

function merged(tables: readonly TableRows[]): Required<TableRows>[] {
  const bytes = new Map<string, number>();
  for (const each of tables)
    bytes.set(each.table, (bytes.get(each.table) ?? 0) + (each.bytes ?? 0));
  return [...rowsByTable(tables)].map(([table, rows]) => ({
    table,
    rows,
    bytes: bytes.get(table) ?? 0,
  }));
}
