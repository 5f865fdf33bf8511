import { createReadStream } from 'node:fs';
import { AmbiguousMessage } from '../dump/legacy/messages.ts';
import { DumpInspector, NotText, type DumpContents } from '../dump/contents.ts';
import type { TableRows } from '../base/table-rows.ts';
import type { Token } from '../dump/lexer.ts';
import type { Manifest } from '../backup-directory/manifest.ts';
import { storageFailure } from '../backup-directory/storage-failure.ts';
import { Checksum } from '../streams/checksum.ts';
import { gunzip, GzipDefect, gzipMagic } from '../streams/gunzip.ts';

/** A backup's file, and what its manifest says it must be. */
export interface Archive {
  readonly path: string;
  readonly bytes: number;
  readonly manifest: Manifest | 'unreadable' | undefined;
}

/** What a backup was found to be, read from the first to the last byte. */
export interface ArchiveReport {
  readonly contents: DumpContents;
  /** Of the whole file; undefined where a defect kept it from being read to the end. */
  readonly sha256: string | undefined;
  /** Why it is not good, each a clause; none for a good backup. */
  readonly defects: readonly string[];
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** A file without manifest need not prove that it is whole. */
  readonly unproven?: boolean | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

export interface ReadProgress {
  /** Of the file. */
  readonly readBytes: number;
  readonly totalBytes: number;
  readonly table: string | undefined;
  /** Of COPY data so far. */
  readonly rows: number;
}

/**
 * Reads a backup once, from disk: takes its checksum, decompresses it, yields its tokens, and in
 * the end returns what it holds and every reason why it is not good. A defect of the file is
 * reported, not thrown: the tokens just end there.
 * @throws Failure `storage` where the file cannot be read.
 */
export async function* readArchive(
  archive: Archive,
  options: ReadOptions,
): AsyncGenerator<Token, ArchiveReport> {
  const checksum = new Checksum();
  const inspector = new DumpInspector({ strict: archive.manifest !== undefined });
  let defect: string | undefined;
  try {
    for await (const chunk of plainSql(
      archive,
      checksum.through(fileChunks(archive, options.signal)),
    )) {
      yield* inspector.read(chunk);
      options.onProgress?.({
        readBytes: checksum.bytes,
        totalBytes: archive.bytes,
        table: inspector.currentTable,
        rows: inspector.rows,
      });
    }
    yield* inspector.end();
  } catch (error) {
    if (!isDefect(error)) throw error;
    defect = error.message;
  }
  const report = {
    contents: inspector.contents(),
    sha256: defect === undefined ? checksum.sha256() : undefined,
  };
  return {
    ...report,
    defects:
      defect === undefined ? findDefects(report, archive, options.unproven ?? false) : [defect],
  };
}

const isDefect = (error: unknown): error is Error =>
  [GzipDefect, AmbiguousMessage, NotText].some((kind) => error instanceof kind);

/** A file is gzip unless neither its first bytes nor its name say so: plain SQL is read as it is. */
async function* plainSql({ path }: Archive, file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = file[Symbol.asyncIterator]();
  const first = await chunks.next();
  const whole = (async function* () {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const isGzip = !first.done && first.value.subarray(0, 2).equals(gzipMagic);
  yield* isGzip || path.endsWith('.gz') ? gunzip(whole) : whole;
}

/** Reads a backup and returns only the report. */
export async function checkArchive(archive: Archive, options: ReadOptions): Promise<ArchiveReport> {
  const tokens = readArchive(archive, options);
  for (;;) {
    const next = await tokens.next();
    if (next.done) return next.value;
  }
}

async function* fileChunks(archive: Archive, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = createReadStream(archive.path, { highWaterMark: 256 * 1024, signal });
  try {
    for await (const chunk of file as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    signal.throwIfAborted();
    throw storageFailure(`read ${archive.path}`, error);
  } finally {
    file.destroy();
  }
}

function findDefects(
  found: Pick<ArchiveReport, 'contents' | 'sha256'>,
  { manifest }: Archive,
  unproven: boolean,
): string[] {
  const { isOnlyUnproven } = found.contents;
  const isAccepted = unproven && isOnlyUnproven && manifest === undefined;
  // Its bytes are those that pg_dump wrote, which only we do not understand.
  const isOurs = typeof manifest === 'object' && manifest.notUnderstood === found.contents.defect;
  const defect = isAccepted || isOurs ? undefined : found.contents.defect;
  const defects = defect === undefined ? [] : [defect];
  if (manifest === undefined) return defects;
  if (manifest === 'unreadable') return [...defects, 'its manifest cannot be read'];
  if (manifest.sha256 !== found.sha256) defects.push('checksum differs from the manifest');
  const difference = firstDifference(found.contents.tables, manifest.tables);
  if (difference !== undefined) defects.push(`rows differ from the manifest: ${difference}`);
  return defects;
}

/** Where two lists of tables first differ, for people; undefined where they are equal. */
export function firstDifference(
  found: readonly TableRows[],
  expected: readonly TableRows[],
): string | undefined {
  const length = Math.max(found.length, expected.length);
  for (let index = 0; index < length; index += 1) {
    const here = found[index];
    const there = expected[index];
    if (here?.table === there?.table && here?.rows === there?.rows) continue;
    const table = here?.table ?? there?.table ?? '';
    const rows = (entry: TableRows | undefined) =>
      entry?.table === table ? `${entry.rows} rows` : 'absent';
    return `${table} has ${rows(here)}, expected ${rows(there)}`;
  }
  return undefined;
}
