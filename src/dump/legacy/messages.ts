import { Defect } from '../../base/errors.ts';

/** A line that may be a message of pg_dump as well as a part of the dump: nobody may guess. */
export class AmbiguousMessage extends Defect {}

/** How lines begin that pg_dump wrote to stderr. */
const prefixes = ['pg_dump: ', 'WARNING:  ', 'DETAIL:  ', 'HINT:  '];

/** What pg_dump says with `--verbose` (pg_dump.c, common.c, pg_backup_archiver.c), and warnings. */
const progressMessage = new RegExp(
  String.raw`^pg_dump: (?:last built-in OID is \d+|reading .+|identifying extension members|finding .+|flagging .+|saving "?(?:encoding|standard_conforming_strings|search_path) = .*|saving database definition|saving large objects.*|dropping .+|creating .+|connecting to new database ".+"|processing data for table ".+"|processing .+|dumping contents of table ".+"|executing .+|(?:enabling|disabling) triggers for .+|implied data-only restore|(?:warning|error|detail|hint): .*)$`,
);

/** libpq's notices, which can stand before everything else. */
const notice = /^(?:WARNING|DETAIL|HINT): {2}/;

/** True for a line that pg_dump wrote to stderr. */
export function isProgressMessage(line: string): boolean {
  return progressMessage.test(line) || notice.test(line);
}

/** True for the beginning of a message about a name with a line break: pg_dump writes it as it is. */
export function isCutMessage(line: string): boolean {
  // A name can have quotes of its own: what ends in one is whole.
  return /^pg_dump: [a-z][^"]*"(?:[^"]*"[^"]*")*[^"]+$|^pg_dump: [a-z][^"]*"$/.test(line);
}

/** True where a line that begins like this may be one. */
export function mayBeProgressMessage(bytes: Buffer): boolean {
  return prefixes.some((prefix) =>
    prefix.startsWith(bytes.toString('latin1', 0, Math.min(prefix.length, bytes.length))),
  );
}

/** Longer than any message. */
export const maxMessageBytes = 4096;
