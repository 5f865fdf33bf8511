import { type Token } from '../dump/lexer.ts';
import type { Replay } from '../dump/replay.ts';
import { readArchive, type Archive, type ArchiveReport, type ReadOptions } from './read.ts';

/** What can be known of a dump before it is loaded. */
export interface DumpHead {
  /** The server that was dumped, `15.18`; undefined where the dump does not say it. */
  readonly serverVersion: string | undefined;
  /** Names of the extensions that it creates. */
  readonly extensions: readonly string[];
  /** Names of the tablespaces in which it creates tables, beside the default one. */
  readonly tablespaces: readonly string[];
  /** Of the whole file, where it was read to its end. */
  readonly defects: readonly string[];
}

const dumpedFrom = /^-- Dumped from database version (\S+)/m;
const createExtension = /^CREATE EXTENSION (?:IF NOT EXISTS )?("(?:[^"]|"")+"|[^\s;]+)/;
const setTablespace = /^SET default_tablespace = ("(?:[^"]|"")+"|[^;'"]+);$/;
const beginsData = /^(?:INSERT INTO |SELECT pg_catalog\.(?:lo_|setval))/;

/**
 * Reads the definitions of a dump, up to its first row. One without manifest may be from anywhere:
 * it is read to its end.
 * @param replay refuses what must not be loaded, here already.
 * @throws UnsafeDump; Failure `storage`.
 */
export async function surveyArchive(
  archive: Archive,
  replay: Replay,
  options: ReadOptions,
): Promise<DumpHead> {
  let serverVersion: string | undefined;
  const extensions = new Set<string>();
  const tablespaces = new Set<string>();
  const isOurs = archive.manifest !== undefined;
  const tokens = readArchive(archive, options);
  let report: ArchiveReport | undefined;
  try {
    for (;;) {
      const next = await tokens.next();
      if (next.done) {
        report = next.value;
        break;
      }
      const token = next.value;
      if (isOurs && isData(token)) break;
      for (const _ of replay.read(token));
      if (token.type === 'filler' && serverVersion === undefined) {
        serverVersion = dumpedFrom.exec(token.bytes.toString('latin1'))?.[1];
      }
      const text = textOf(token) ?? '';
      const extension = createExtension.exec(text)?.[1];
      if (extension !== undefined) extensions.add(nameOf(extension));
      const tablespace = setTablespace.exec(text)?.[1];
      if (tablespace !== undefined) tablespaces.add(nameOf(tablespace));
    }
  } finally {
    await tokens.return(undefined as never);
  }
  return {
    serverVersion,
    extensions: [...extensions],
    tablespaces: [...tablespaces],
    defects: report?.defects ?? [],
  };
}

const nameOf = (identifier: string) =>
  identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;

const textOf = (token: Token) => (token.type === 'sql' ? token.statement?.text : undefined);

const isData = (token: Token) => token.type === 'rows' || beginsData.test(textOf(token) ?? '');
