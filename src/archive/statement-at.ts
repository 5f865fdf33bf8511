import { countLineBreaks } from '../base/text.ts';
import { objectNamed } from '../dump/statement.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { ArchiveReader, type ReadAccess } from './reader.ts';

/** A statement of a dump. */
export interface FoundStatement {
  /** As pg_dump calls it: `TABLE public.places`; undefined where the dump does not say. */
  readonly object: string | undefined;
  /** Its text without comments; of rows, the COPY statement. */
  readonly text: string;
}

/**
 * Finds the statement, or the rows, in which a line of a dump is. It reads the file up to there.
 * @param line from 1, as psql counts what it is given.
 * @returns undefined where the file ends before.
 */
export async function statementAt(
  file: BackupFile,
  line: number,
  access: ReadAccess,
): Promise<FoundStatement | undefined> {
  let comments = '';
  let rowsOf: FoundStatement | undefined;
  let at = 1;
  for await (const token of new ArchiveReader(file, access)) {
    if (token.type === 'message') continue;
    if (token.type === 'filler') comments += token.bytes.toString();
    at += countLineBreaks(token.bytes);
    if (token.type === 'sql' && token.statement !== undefined) {
      const found = { object: objectNamed(comments), text: token.statement.text ?? '' };
      comments = '';
      rowsOf = token.statement.copyInto === undefined ? undefined : found;
      if (at >= line) return found;
    }
    if (at > line && rowsOf !== undefined) return rowsOf;
    if (token.type === 'copyEnd') rowsOf = undefined;
  }
  return undefined;
}
