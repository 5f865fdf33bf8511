import type { BackupFile } from '../backup-directory/backup.ts';
import { ArchiveReader, type ReadAccess } from './reader.ts';

const dumpedFrom = /^-- Dumped from database version (\S+)/m;

/** The server that a dump says it is of, `15.18`; undefined where it does not say. */
export const versionDumped = (comments: string): string | undefined =>
  dumpedFrom.exec(comments)?.[1];

/** Reads the beginning of a backup for the server that it is of; undefined where it does not say. */
export async function identifyMaker(
  file: BackupFile,
  access: ReadAccess,
): Promise<string | undefined> {
  let comments = '';
  for await (const token of new ArchiveReader(file, access)) {
    if (token.type === 'sql') break;
    if (token.type === 'filler') comments += token.bytes.toString('latin1');
  }
  return versionDumped(comments);
}
