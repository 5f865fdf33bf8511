import { chooseFrom } from '../archive/selected-reader.ts';
import { ArchiveReader, reportOf, type ReadAccess } from '../archive/reader.ts';
import { identify } from '../archive/identify.ts';
import { Failure } from '../base/errors.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import { StatementFilter, type Selection } from '../dump/selection/filter.ts';
import { kindOf } from '../dump/selection/kind.ts';
import { readAccess, type Context } from '../context.ts';
import { locate } from './details.ts';

export interface ExtractOptions {
  /** A path, name or timestamp; undefined: the latest backup. */
  readonly file: string | undefined;
  /** As people call them; undefined: everything. */
  readonly tables: readonly string[] | undefined;
  /** What makes objects, or what fills them; undefined: both. */
  readonly part: 'definition' | 'data' | undefined;
}

/** So much is given at a time. */
const pieceBytes = 256 * 1024;

/**
 * The SQL of a backup, or of some of its tables with what they need, without what the old script has mixed
 * into it. With everything, it is what `gunzip -c` gives.
 * @throws Failure `noSuchBackup`, `storage`; `usage` for a table that is not there; `verificationFailed` at
 *   the end, where the backup is not good: what was given before is not all of it.
 */
export async function* extract(
  context: Context,
  { file: called, ...options }: ExtractOptions,
): AsyncGenerator<Buffer> {
  const file = await locate(context, called);
  const access = readAccess(context);
  await requireSql(file, access);
  const filter = new StatementFilter(await selectionFor(context, file, options));
  const reader = new ArchiveReader(file, access);
  let piece: Buffer[] = [];
  let bytes = 0;
  for await (const token of reader) {
    if (token.type === 'message') continue;
    for (const kept of filter.read(token)) {
      piece.push(kept.bytes);
      bytes += kept.bytes.length;
    }
    if (bytes < pieceBytes) continue;
    yield Buffer.concat(piece);
    [piece, bytes] = [[], 0];
  }
  for (const kept of filter.end()) piece.push(kept.bytes);
  yield Buffer.concat(piece);
  const { defects } = reportOf(reader);
  if (defects.length === 0) return;
  throw new Failure('verificationFailed', `${file.name} is not good: ${defects.join('; ')}`, {
    hint: 'the SQL before this is not all of it, or not what it was; `pratiko-backup list` shows other backups',
  });
}

async function selectionFor(
  context: Context,
  file: BackupFile,
  { tables, part }: Pick<ExtractOptions, 'tables' | 'part'>,
): Promise<Selection> {
  const isPart: Selection = (_, head) => {
    const kind = kindOf(head);
    return part === undefined || kind === 'session' || kind === part;
  };
  if (tables === undefined) return isPart;
  const { selection, leftOut } = await chooseFrom(file, tables, readAccess(context));
  if (part !== 'data') {
    for (const what of leftOut) context.log.warn(what);
  }
  return (ordinal, head) => isPart(ordinal, head) && selection(ordinal, head);
}

/** @throws Failure `verificationFailed` for a file that is something else than a plain dump. */
async function requireSql(file: BackupFile, access: ReadAccess): Promise<void> {
  const found = await identify(file, access);
  if (found === undefined) return;
  const { what, hint } = found;
  throw new Failure('verificationFailed', `${file.name} is ${what}`, { hint });
}
