import { unquoteIdentifier } from '../base/sql.ts';
import type { DatabaseSettings } from '../base/database-traits.ts';
import { extensionCreatedBy } from '../dump/statement.ts';
import type { Token } from '../dump/token.ts';
import type { ReplayFilter } from '../dump/replay-filter.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import type { TableRows } from '../base/table-rows.ts';
import { versionDumped } from './maker.ts';
import type { ReadOptions } from './reader.ts';
import { openDump } from './selected-reader.ts';
import type { Choice } from '../dump/selection/choose.ts';

/** What can be known of a dump before it is loaded. */
export interface DumpHeader {
  /** The server that was dumped, `15.18`; undefined where the dump does not say it. */
  readonly serverVersion: string | undefined;
  /** What it sets for the database as a whole (`pg_dump --create`). */
  readonly parameters: DatabaseSettings['parameters'];
  /** Names of the extensions that it creates. */
  readonly extensions: readonly string[];
  /** Names of the tablespaces in which it creates tables, beside the default one. */
  readonly tablespaces: readonly string[];
  /** Defects of the whole file, where it was read to its end. */
  readonly defects: readonly string[];
  /** What could not be proven of it, where that was accepted. */
  readonly unproven: string | undefined;
  /** It has no definitions of the tables whose rows it holds, or of those that it alters. */
  readonly isPart: 'data' | 'postData' | undefined;
  /** Roles to which it gives something. */
  readonly roles: readonly string[];
  /** Roles of row-security policies. */
  readonly policyRoles: readonly string[];
  /** Rows of each table, where it was read to its end. */
  readonly tables: readonly TableRows[] | undefined;
  /** It has functions with a body in standard SQL (14 and later), which an older psql cuts to pieces. */
  readonly hasAtomicBodies: boolean;
}

const setTablespace = /^SET default_tablespace = ("(?:[^"]|"")+"|[^;'"]+);$/;
const beginsData = /^(?:INSERT INTO |SELECT pg_catalog\.(?:lo_|setval))/;

/**
 * Reads the definitions of a dump, up to its first row. One without manifest may be from anywhere, and
 * an old manifest does not tell of roles: these are read to their end.
 * @param replay refuses what must not be loaded, here already.
 * @param choice reads only what some tables need.
 * @throws UnsafeDump; Failure `storage`.
 */
export async function readHeader(
  file: BackupFile,
  replay: ReplayFilter,
  options: ReadOptions,
  choice?: Choice,
): Promise<DumpHeader> {
  let serverVersion: string | undefined;
  const extensions = new Set<string>();
  const tablespaces = new Set<string>();
  const isOurs = file.condition !== 'unverified';
  // Its end tells of roles; in a backup of today its manifest does.
  const { manifest } = file;
  const isEnough = manifest?.policyRoles !== undefined;
  const reader = openDump(file, options, choice);
  const seen = { creates: false, rows: false, alters: false };
  let hasAtomicBodies = false;
  for await (const token of reader) {
    if (isEnough && isData(token)) break;
    for (const _ of replay.read(token));
    if (token.type === 'filler' && serverVersion === undefined) {
      serverVersion = versionDumped(token.bytes.toString('latin1'));
    }
    const text = textOf(token) ?? '';
    seen.creates ||= /^CREATE (?!UNIQUE INDEX|INDEX|TRIGGER|RULE|EXTENSION)/.test(text);
    seen.rows ||= isData(token);
    seen.alters ||= /^(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX)/.test(text);
    hasAtomicBodies ||= /\bBEGIN ATOMIC\b/.test(text);
    const extension = extensionCreatedBy(text);
    if (extension !== undefined) extensions.add(extension);
    const tablespace = setTablespace.exec(text)?.[1];
    if (tablespace !== undefined) tablespaces.add(unquoteIdentifier(tablespace));
  }
  const { report } = reader;
  return {
    serverVersion,
    parameters: replay.parameters,
    extensions: [...extensions],
    tablespaces: [...tablespaces],
    defects: report?.defects ?? [],
    unproven: report?.contents.isOnlyUnproven ? report.contents.defect : undefined,
    isPart:
      isOurs || seen.creates
        ? undefined
        : seen.rows
          ? 'data'
          : seen.alters
            ? 'postData'
            : undefined,
    roles: choice?.roles ?? report?.contents.roles ?? manifest?.roles ?? [],
    policyRoles: choice?.policyRoles ?? report?.contents.policyRoles ?? manifest?.policyRoles ?? [],
    tables:
      report?.contents.tables ??
      manifest?.tables.filter(({ table }) => choice?.tables.has(table) ?? true),
    hasAtomicBodies,
  };
}

const textOf = (token: Token) => (token.type === 'sql' ? token.statement?.text : undefined);

const isData = (token: Token) => token.type === 'rows' || beginsData.test(textOf(token) ?? '');
